// letter_case_posix.cpp: reads the C library's table, in a locale of UTF-8.
#include "system/letter_case.hpp"

#include <locale.h>  // NOLINT(modernize-deprecated-headers): newlocale() is POSIX
#include <wctype.h>  // NOLINT(modernize-deprecated-headers): towlower_l() is POSIX
#if __has_include(<xlocale.h>)
#include <xlocale.h>  // macOS has both here
#endif

namespace cueline {

namespace {

locale_t of_all_scripts() noexcept {
    const locale_t usual = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (usual != nullptr) return usual;
    return newlocale(LC_CTYPE_MASK, "en_US.UTF-8", nullptr);  // macOS has had this one for longer
}

}  // namespace

char32_t lower_case_of(char32_t code) noexcept {
    static_assert(sizeof(wint_t) >= sizeof(char32_t));
    static const locale_t all_scripts = of_all_scripts();  // never freed: calls share it
    if (all_scripts != nullptr) return static_cast<char32_t>(towlower_l(static_cast<wint_t>(code), all_scripts));
    return code >= U'A' && code <= U'Z' ? code - U'A' + U'a' : code;
}

}  // namespace cueline
