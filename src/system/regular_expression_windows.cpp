// regular_expression_windows.cpp: checks a regular expression with the standard library: Windows has none of its own.
#include "system/regular_expression.hpp"

#include <regex>

namespace cueline {

bool is_regular_expression(const std::string& text) {
    try {
        const std::regex compiled{text, std::regex::extended | std::regex::nosubs};
        return true;
    } catch (const std::regex_error&) {
        return false;
    }
}

}  // namespace cueline
