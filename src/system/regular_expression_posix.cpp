// regular_expression_posix.cpp: checks a regular expression by compiling it with the C library.
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
