// regular_expression.hpp: regular expressions, as JACK has them.
#pragma once

#include <string>

namespace cueline {

/// Whether `text` is a POSIX extended regular expression.
bool is_regular_expression(const std::string& text);

/// Whether the regular expression `pattern` matches a part of `text`. False if it is none.
bool matches(const std::string& pattern, const std::string& text);

}  // namespace cueline
