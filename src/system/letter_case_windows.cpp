// letter_case_windows.cpp: maps a letter by Windows' own table.
#include "system/letter_case.hpp"

#include <windows.h>

#include <array>

namespace cueline {

char32_t lower_case_of(char32_t code) noexcept {
    if (code >= 0x10000) return code;  // two units of UTF-16, and no user's device has such a name
    const std::array<wchar_t, 1> letter{static_cast<wchar_t>(code)};
    std::array<wchar_t, 1> lower{letter};
    const int units =
        LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_LOWERCASE, letter.data(), 1, lower.data(), 1, nullptr, nullptr, 0);
    return units == 1 ? static_cast<char32_t>(lower[0]) : code;
}

}  // namespace cueline
