// regular_expression.cpp: compiles a regular expression by the C library, to see whether that works.
#include "system/regular_expression.hpp"

#include <regex.h>

namespace cueline {

bool is_regular_expression(const std::string& text) {
    regex_t compiled{};
    if (regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
    regfree(&compiled);
    return true;
}

}  // namespace cueline
