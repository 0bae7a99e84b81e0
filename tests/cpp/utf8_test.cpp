// utf8_test.cpp: text that is not UTF-8, and lower case in all scripts.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "system/utf8.hpp"

namespace cueline::test {
namespace {

const std::string replaced = "\xEF\xBF\xBD";  // U+FFFD

TEST(Utf8, valid_text_stays_as_it_is) {
    for (const std::string text : {"", "Scarlett 4i4 USB (hw:1,0)", "Gerät", "スピーカー", "🎧", "\xEF\xBF\xBD"}) {
        EXPECT_EQ(valid_utf8(text), text);
    }
}

TEST(Utf8, each_byte_that_is_not_part_of_a_character_is_replaced) {
    const std::pair<std::string, std::string> cases[] = {
        {"Ger\xE4t", "Ger" + replaced + "t"},  // Latin-1
        {"\xC3", replaced},                    // it ends within a character
        {"\xE2\x82", replaced + replaced},
        {"\xC3(", replaced + "("},
        {"\x80z", replaced + "z"},          // it begins within one
        {"\xC0\xAF", replaced + replaced},  // a longer form than needed
        {"\xE0\x80\xAF", replaced + replaced + replaced},
        {"\xED\xA0\x80", replaced + replaced + replaced},                 // half of a pair of UTF-16
        {"\xF4\x90\x80\x80", replaced + replaced + replaced + replaced},  // beyond the last character
        {"\xFF", replaced},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(valid_utf8(text), expected);
}

TEST(Utf8, lower_case_works_in_all_scripts) {
    const std::pair<std::string, std::string> cases[] = {
        {"USB Audio 2", "usb audio 2"},
        {"ÜBERTRAGUNG", "übertragung"},
        {"ÉCOUTEURS", "écouteurs"},
        {"НАУШНИКИ", "наушники"},
        {"ΗΧΕΊΑ", "ηχεία"},
        {"スピーカー", "スピーカー"},
        {"GER\xC4T", "ger" + replaced + "t"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(lower_case(text), expected);
}

}  // namespace
}  // namespace cueline::test
