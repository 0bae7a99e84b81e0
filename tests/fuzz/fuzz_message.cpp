// fuzz_message.cpp: random bytes become a message, and a message's payload becomes a value.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/message.hpp>

namespace {

using cueline::Message;

void require(bool holds) {
    if (!holds) std::abort();
}

#ifdef CUELINE_MUTANT_OVERREADS
/// The mutant: assumes that there are as many bytes as it needs.
std::optional<Message> message_from(std::span<const std::byte> bytes) {
    if (bytes.size() < 8) return std::nullopt;
    Message message;
    std::memcpy(&message, bytes.data(), sizeof message);
    return message;
}
#else
std::optional<Message> message_from(std::span<const std::byte> bytes) {
    return Message::from_bytes(bytes);
}
#endif

/// The payload becomes a `Payload` and a payload again. It must be unchanged, with zeroes after it.
template <class Payload>
void there_and_back(const Message& message) {
    const auto value = message.as<Payload>();
    const Message again = Message::of(message.kind, value);
    require(again.kind == message.kind && again.sequence == 0 && again.frame == 0);
    require(std::memcmp(again.payload.data(), message.payload.data(), sizeof value) == 0);
    for (std::size_t index = sizeof value; index < again.payload.size(); ++index) {
        require(again.payload[index] == std::byte{0});
    }
}

template <std::size_t Bytes>
struct Odd {
    std::array<std::byte, Bytes> bytes;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy of exactly this size, so that the sanitizer notices a read beyond the end.
    const auto* const begin = reinterpret_cast<const std::byte*>(data);
    const std::vector<std::byte> bytes(begin, begin + size);
    const std::optional<Message> message = message_from(bytes);
    require(message.has_value() == (size == sizeof(Message)));
    if (!message) return 0;

    require(std::memcmp(&*message, bytes.data(), bytes.size()) == 0);
    there_and_back<cueline::Ping>(*message);
    there_and_back<cueline::Pong>(*message);
    there_and_back<std::uint8_t>(*message);
    there_and_back<Odd<13>>(*message);
    there_and_back<Odd<cueline::payload_bytes>>(*message);
    return 0;
}
