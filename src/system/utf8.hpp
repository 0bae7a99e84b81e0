// utf8.hpp: text from another library as valid UTF-8, and text in lower case.
#pragma once

#include <string>
#include <string_view>

namespace cueline {

/// Returns `text` with U+FFFD in place of each byte that is not part of a UTF-8 character. So Python, a terminal and a
/// JSON file take a name that another library made in another encoding.
std::string valid_utf8(std::string_view text);

/// Returns `text` as valid UTF-8 in lower case, letter by letter, in all scripts. If the system lacks the locale
/// C.UTF-8, only ASCII's letters change.
std::string lower_case(std::string_view text);

}  // namespace cueline
