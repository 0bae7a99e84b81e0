// ring.cpp: sends notes from one thread to another with nothing but ring.hpp.
#include <cueline/ring.hpp>

#include <cstdio>
#include <thread>

struct Note {
    int pitch;
    float velocity;
};

int main() {
    cueline::Ring<Note> ring;  // 1024 slots

    std::thread audio{[&ring] {
        cueline::Consumer consumer{ring};
        Note note{};
        for (int received = 0; received < 8;) {
            if (consumer.try_pop(note) == cueline::Status::ok) {
                std::printf("pitch %d, velocity %.1f\n", note.pitch, static_cast<double>(note.velocity));
                ++received;
            }
        }
    }};

    cueline::Producer producer{ring};
    for (int pitch = 60; pitch < 68; ++pitch) {
        if (producer.try_push({pitch, 0.5F}) == cueline::Status::full) std::puts("refused: the ring is full");
    }
    audio.join();
}
