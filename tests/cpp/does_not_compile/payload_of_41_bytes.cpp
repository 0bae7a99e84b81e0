// payload_of_41_bytes.cpp: one byte too many for a message.
#include <array>

#include <cueline/message.hpp>

int main() {
    return static_cast<int>(cueline::Message::of(256, std::array<char, 41>{}).kind);
}
