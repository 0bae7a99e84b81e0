// visitor_without_a_type.cpp: it lacks NoteOff, which was added to the list later.
#include <cueline/visit.hpp>

struct NoteOn {
    static constexpr cueline::Kind kind = 256;
    float gain;
};
struct NoteOff {
    static constexpr cueline::Kind kind = 257;
};

int main() {
    return cueline::Messages<NoteOn, NoteOff>::visit(cueline::Message{}, [](const NoteOn&) {}) ? 1 : 0;
}
