// regular_expression_windows.cpp: regular expressions of the standard library: Windows has none of its own.
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

bool matches(const std::string& pattern, const std::string& text) {
    try {
        return std::regex_search(text, std::regex{pattern, std::regex::extended | std::regex::nosubs});
    } catch (const std::regex_error&) {
        return false;
    }
}

}  // namespace cueline
