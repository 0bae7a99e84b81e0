// regular_expression_posix.cpp: regular expressions of the C library.
#include "system/regular_expression.hpp"

#include <regex.h>

namespace cueline {

bool is_regular_expression(const std::string& text) {
    regex_t compiled{};
    if (regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
    regfree(&compiled);
    return true;
}

bool matches(const std::string& pattern, const std::string& text) {
    regex_t compiled{};
    if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
    const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
    regfree(&compiled);
    return found;
}

}  // namespace cueline
