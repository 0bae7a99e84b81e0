// visit_test.cpp: dispatches messages by a list of types.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <cueline/engine_messages.hpp>
#include <cueline/visit.hpp>

namespace cueline::test {
namespace {

struct NoteOn {
    static constexpr Kind kind = 256;
    std::uint32_t voice;
    float gain;
};
struct NoteOff {
    static constexpr Kind kind = 65535;
    std::uint32_t voice;
};
struct AllOff {
    static constexpr Kind kind = 300;
};
using Notes = Messages<NoteOn, NoteOff, AllOff>;

/// What a visitor of all three types saw.
std::string seen(const Message& message) {
    std::string text = "nothing";
    const Overloaded visitor{
        [&text](const NoteOn& on) { text = "on " + std::to_string(on.voice) + " at " + std::to_string(on.gain); },
        [&text](const NoteOff& off) { text = "off " + std::to_string(off.voice); },
        [&text](const AllOff&) { text = "all off"; },
    };
    text += Notes::visit(message, visitor) ? "" : ", of no type";
    return text;
}

TEST(Visit, calls_the_visitor_with_the_type_of_that_kind_only) {
    EXPECT_EQ(seen(Message::of(NoteOn{7, 0.5F})), "on 7 at 0.500000");
    EXPECT_EQ(seen(Message::of(NoteOff{9})), "off 9");
    EXPECT_EQ(seen(Message::of(AllOff{})), "all off");
}

TEST(Visit, calls_nothing_for_a_kind_that_is_not_of_the_list) {
    EXPECT_EQ(seen(Message{}), "nothing, of no type");
    EXPECT_EQ(seen(Message::of(257, NoteOn{7, 0.5F})), "nothing, of no type");
    EXPECT_FALSE(Messages<>::visit(Message::of(NoteOff{9}), [] {}));
}

TEST(Visit, a_message_of_a_payload_has_the_kind_of_its_type) {
    EXPECT_EQ(Message::of(NoteOff{9}).kind, 65535);
    EXPECT_EQ(Message::of(NoteOff{9}).as<NoteOff>().voice, 9U);
    EXPECT_EQ(Message::of(Pong{1, 2}).kind, kind::pong);
}

TEST(Visit, throws_what_the_visitor_throws_and_is_noexcept_if_the_visitor_is) {
    const auto refuses = [](const auto&) { throw std::runtime_error{"refused"}; };
    const auto promises = [](const auto&) noexcept {};
    EXPECT_THROW(Notes::visit(Message::of(AllOff{}), refuses), std::runtime_error);
    static_assert(!noexcept(Notes::visit(Message{}, refuses)));
    static_assert(noexcept(Notes::visit(Message{}, promises)));
}

TEST(Visit, returns_what_the_visitor_returns_as_an_outcome) {
    const Overloaded visitor{
        [](const NoteOn& on) { return Outcome::applied(on.voice); },
        [](const NoteOff& off) { return off.voice < 8; },
        [](const AllOff&) {},
    };
    const auto outcome = [&](const Message& message) { return Notes::visit(message, visitor); };
    EXPECT_EQ(outcome(Message::of(NoteOn{7, 0})).value, 7U);
    EXPECT_EQ(outcome(Message::of(NoteOff{7})).result, Outcome::Result::applied);
    EXPECT_EQ(outcome(Message::of(NoteOff{8})).result, Outcome::Result::unknown);
    EXPECT_EQ(outcome(Message::of(AllOff{})).result, Outcome::Result::applied);
    EXPECT_EQ(outcome(Message{}).result, Outcome::Result::unknown);
}

TEST(Visit, lets_a_visitor_keep_what_it_saw) {
    struct Counting {
        int notes = 0;
        void operator()(const NoteOn&) { ++notes; }
        void operator()(const NoteOff&) { --notes; }
        void operator()(const AllOff&) { notes = 0; }
    };
    Counting counting;
    Notes::visit(Message::of(NoteOn{1, 1}), counting);
    Notes::visit(Message::of(NoteOn{2, 1}), counting);
    Notes::visit(Message::of(NoteOff{1}), counting);
    EXPECT_EQ(counting.notes, 1);
}

}  // namespace
}  // namespace cueline::test
