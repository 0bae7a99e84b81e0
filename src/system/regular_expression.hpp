// regular_expression.hpp: checks a regular expression that another library will use.
#pragma once

#include <string>

namespace cueline {

/// Whether `text` is a POSIX extended regular expression.
bool is_regular_expression(const std::string& text);

}  // namespace cueline
