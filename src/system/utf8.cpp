// utf8.cpp: decodes and encodes UTF-8.
#include "system/utf8.hpp"

#include <array>
#include <cstddef>

#include "system/letter_case.hpp"

namespace cueline {

namespace {

constexpr char32_t replacement = 0xFFFD;

struct Character {
    char32_t code;
    std::size_t bytes;
};

/// The first character of `text`, which is not empty. A byte that is not part of a character is a replacement.
Character first_of(std::string_view text) noexcept {
    constexpr Character bad{.code = replacement, .bytes = 1};
    const auto byte = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const char32_t lead = byte(0);
    if (lead < 0x80) return {.code = lead, .bytes = 1};
    if (lead < 0xC0 || lead >= 0xF8) return bad;
    const std::size_t bytes = 2U + (lead >= 0xE0 ? 1U : 0U) + (lead >= 0xF0 ? 1U : 0U);
    if (text.size() < bytes) return bad;
    char32_t code = lead & (0x7FU >> bytes);
    for (std::size_t index = 1; index < bytes; ++index) {
        if ((byte(index) & 0xC0U) != 0x80) return bad;
        code = code << 6U | (byte(index) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};  // by bytes: longer forms are not valid
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (code < least.at(bytes) || code > 0x10FFFF || surrogate) return bad;
    return {.code = code, .bytes = bytes};
}

void append(std::string& text, char32_t code) {
    const auto rest = [code](unsigned shift) { return static_cast<char>(0x80U | (code >> shift & 0x3FU)); };
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += {static_cast<char>(0xC0U | code >> 6U), rest(0)};
    } else if (code < 0x10000) {
        text += {static_cast<char>(0xE0U | code >> 12U), rest(6), rest(0)};
    } else {
        text += {static_cast<char>(0xF0U | code >> 18U), rest(12), rest(6), rest(0)};
    }
}

template <class Change>
std::string changed(std::string_view text, Change change) {
    std::string result;
    while (!text.empty()) {
        const Character first = first_of(text);
        append(result, change(first.code));
        text.remove_prefix(first.bytes);
    }
    return result;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    return changed(text, [](char32_t code) { return code; });
}

std::string lower_case(std::string_view text) {
    return changed(text, &lower_case_of);
}

}  // namespace cueline
