// fuzz_engine.cpp: any conversation with an engine on the offline device, beside an account that cannot be wrong.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "offline_device.hpp"

namespace {

using namespace cueline;

using Payload = std::array<std::byte, payload_bytes>;

void require(bool holds, const char* claim) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", claim);
    std::abort();
}

/// Answers each message with as many of its payload's bytes as the first of them says.
class PartProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    bool handle(const Message& command, Context& context) noexcept CUELINE_NONBLOCKING override {
        const auto payload = command.as<Payload>();
        Payload part{};
#ifdef CUELINE_MUTANT_TRUSTS  // it trusts what it is sent
        const auto bytes = std::to_integer<std::size_t>(payload[0]);
#else
        const auto bytes = std::min(std::to_integer<std::size_t>(payload[0]), part.size());
#endif
        for (std::size_t index = 0; index < bytes; ++index) part[index] = payload[index];
#ifdef CUELINE_MUTANT_FORGETS
        if (bytes == 7) return true;
#endif
        context.events().send(command.kind, part, command.sequence);
        return true;
    }
    void render(const AudioBlock& block, Context& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
    }

  private:
    SilenceProcessor quiet_;
};

/// What an engine has to do, in the plainest way.
class Conversation {
  public:
    explicit Conversation(std::uint32_t budget) : budget_{budget} {
        auto device = std::make_unique<OfflineDevice>(Format{.channels = 1, .blocksize = blocksize});
        device_ = device.get();
        engine_ = std::make_unique<Engine>(std::move(device), std::make_unique<PartProcessor>(), budget);
        engine_->start();
    }

    void send(Kind kind, const Payload& payload) {
        const Status status = engine_->control().send(kind, payload);
        if (commands_.size() == CommandRing::capacity) {
            require(status == Status::full, "a full command ring refuses");
            ++refused_;
            return;
        }
        require(status == Status::ok, "a command ring that is not full accepts");
        ++accepted_;
        commands_.push_back(expected_message(kind, static_cast<std::uint32_t>(accepted_), payload));
    }

    void render(std::size_t frames) {
        std::vector<float> samples(frames, 1.0F);
        device_->render(samples);
        require(std::ranges::all_of(samples, [](float sample) { return sample == 0.0F; }), "all of it is rendered");
        while (frames > 0) {
            for (std::uint32_t read = 0; read < budget_ && !commands_.empty(); ++read) {
                answer(commands_.front());
                commands_.pop_front();
            }
            const std::size_t block = std::min<std::size_t>(frames, blocksize);
            frame_ += block;
            frames -= block;
        }
    }

    void receive(std::size_t count) {
        for (; count > 0; --count) {
            Message event;
            const Status status = engine_->control().receive(event);
            require(status == (events_.empty() ? Status::empty : Status::ok), "events are there when they ought to be");
            if (events_.empty()) return;
            const auto& [expected, timed] = events_.front();
            require(event.kind == expected.kind && event.sequence == expected.sequence && event.frame == expected.frame,
                    "an event has its kind, sequence and frame");
            // A pong's second word is a clock.
            const std::size_t bytes = timed ? sizeof(std::uint64_t) : event.payload.size();
            require(std::memcmp(event.payload.data(), expected.payload.data(), bytes) == 0, "an event has its payload");
            events_.pop_front();
        }
    }

    void finish() const {
        const EngineStats stats = engine_->stats();
        require(stats.commands.sent == accepted_ && stats.commands.dropped == refused_, "commands are counted");
        require(stats.events.sent == answered_ && stats.events.dropped == unanswered_, "events are counted");
        require(stats.unhandled == unhandled_, "what nobody knew is counted");
        require(stats.frames == frame_, "frames are counted");
    }

  private:
    static constexpr std::uint32_t blocksize = 16;
    struct Expected {
        Message message;
        bool timed = false;
    };

    static Message expected_message(Kind kind, std::uint32_t sequence, const Payload& payload) {
        Message message = Message::of(kind, payload);
        message.sequence = sequence;
        return message;
    }

    void answer(const Message& command) {
        Message event = command;
        event.frame = frame_;
        if (command.kind == kind::ping) {
            event.kind = kind::pong;
        } else if (command.kind < kind::first_processor) {
            ++unhandled_;
            return;
        } else {
            const auto bytes = std::to_integer<std::size_t>(command.payload[0]);
            for (std::size_t index = bytes; index < event.payload.size(); ++index) event.payload[index] = std::byte{0};
        }
        if (events_.size() == EventRing::capacity) {
            ++unanswered_;
            return;
        }
        ++answered_;
        events_.push_back({event, command.kind == kind::ping});
    }

    std::uint32_t budget_;
    OfflineDevice* device_ = nullptr;
    std::unique_ptr<Engine> engine_;
    std::deque<Message> commands_;
    std::deque<Expected> events_;
    std::uint64_t frame_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t unanswered_ = 0;
    std::uint64_t unhandled_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider input{data, size};
    Conversation conversation{input.ConsumeIntegralInRange<std::uint32_t>(1, 1024)};
    while (input.remaining_bytes() > 0) {
        switch (input.ConsumeIntegralInRange(0, 3)) {
            case 0:
            case 1: {  // one message, or many of them
                const auto kind =
                    input.ConsumeBool() ? input.ConsumeIntegral<Kind>() : input.ConsumeIntegralInRange<Kind>(0, 300);
                const int count = input.ConsumeBool() ? 1 : input.ConsumeIntegralInRange(1, 1100);
                Payload payload{};
                const auto bytes = input.ConsumeBytes<std::byte>(payload.size());
                std::ranges::copy(bytes, payload.begin());
                for (int sent = 0; sent < count; ++sent) conversation.send(kind, payload);
                break;
            }
            case 2:
                conversation.render(input.ConsumeIntegralInRange<std::size_t>(0, 100));
                break;
            default:
                conversation.receive(input.ConsumeIntegralInRange<std::size_t>(1, 1100));
        }
    }
    conversation.finish();
    return 0;
}
