// letter_case.hpp: the lower case of one letter.
#pragma once

namespace cueline {

/// Returns the lower case of the letter `code`, in all scripts, and any other character as it is. If the system has no
/// table of all scripts, only ASCII's letters change. [any thread but an audio thread]
char32_t lower_case_of(char32_t code) noexcept;

}  // namespace cueline
