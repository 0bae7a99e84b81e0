// visitor_without_a_type.cpp: it was written before the list had NoteOff.
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
