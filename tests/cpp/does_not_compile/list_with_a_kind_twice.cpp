// list_with_a_kind_twice.cpp: a visitor would never get the second type.
#include <cueline/visit.hpp>

struct NoteOn {
    static constexpr cueline::Kind kind = 256;
};
struct NoteOff {
    static constexpr cueline::Kind kind = 256;
};

int main() {
    return cueline::Messages<NoteOn, NoteOff>::visit(cueline::Message{}, [](const auto&) {}) ? 1 : 0;
}
