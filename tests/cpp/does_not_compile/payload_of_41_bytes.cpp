// payload_of_41_bytes.cpp: one byte more than a message has room for.
#include <array>

#include <cueline/message.hpp>

int main() {
    return static_cast<int>(cueline::Message::of(256, std::array<char, 41>{}).kind);
}
