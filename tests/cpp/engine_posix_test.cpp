// engine_posix_test.cpp: engines in forked processes.
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/error.hpp>

#include "devices/offline_device.hpp"
#include "processors.hpp"
#include "processors/player_processor.hpp"
#include "processors/sinc_table.hpp"

namespace cueline::test {
namespace {

TEST(Engine, a_forked_child_gets_an_error_and_can_destroy_the_engine) {
    for (const char* device : {"null", "offline"}) {
        auto engine = std::make_unique<Engine>(open_device({.device = device}), std::make_unique<SilenceProcessor>());
        engine->start();
        const pid_t child = fork();
        if (child == 0) {
            alarm(20);  // so that the test cannot hang
            bool told = false;
            try {
                engine->start();
            } catch (const ForkedError&) {
                told = true;
            }
            engine->stop();
            engine->close();
            engine.reset();
            _exit(told ? 0 : 1);
        }
        int status = -1;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << device;
        engine->stop();
    }
}

/// Whether a new engine's player is heard between the frames of its buffer.
bool is_player_heard() {
    Engine engine{std::make_unique<OfflineDevice>(Format{.outputs = 1, .blocksize = 64}),
                  std::make_unique<PlayerProcessor>()};
    engine.start();
    const std::vector<float> sound(64, 0.5F);
    std::vector<float> audio(100);
    if (engine.publish(0, sound, 1) != Status::ok) return false;
    if (engine.control().send(PlayBuffer::kind, PlayBuffer{.rate = 0.5F}) != Status::ok) return false;
    engine.device().render(audio);
    return audio[51] > 0.4F;
}

TEST(Engine, a_forked_child_plays_with_a_table_of_its_own) {
    EXPECT_TRUE(is_player_heard());
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);  // so that the test cannot hang
        const bool first = is_player_heard();
        _exit(first && is_player_heard() ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Engine, a_child_forked_in_the_middle_of_a_start_does_not_hang) {
    /// Starts slowly, while it holds the engine's lock.
    class Slow final : public Device {
      public:
        [[nodiscard]] std::string_view name() const noexcept override { return "slow"; }
        [[nodiscard]] Format format() const noexcept override { return format_; }
        void start(BlockCallback&) override {
            starting = true;
            starting.notify_one();
            go_on.wait(false);
        }
        void stop() noexcept override {}
        [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }
        std::atomic<bool> starting = false;
        std::atomic<bool> go_on = false;

      private:
        Format format_;
    };
    auto slow = std::make_unique<Slow>();
    Slow& device = *slow;
    Engine engine{std::move(slow), std::make_unique<SilenceProcessor>()};
    std::thread starter{[&] { engine.start(); }};
    device.starting.wait(false);
    const pid_t child = fork();
    if (child == 0) {
        alarm(10);  // so that the test cannot hang
        try {
            engine.start();
        } catch (const ForkedError&) {
            engine.stop();
            engine.close();
            _exit(0);
        }
        _exit(1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    device.go_on = true;
    device.go_on.notify_one();
    starter.join();
}

TEST(SincTable, is_one_for_all_players_and_another_one_in_a_forked_child) {
    const std::shared_ptr<const SincTable> table = SincTable::shared();
    EXPECT_EQ(SincTable::shared(), table);
    const auto middle = [](const SincTable& of) {
        const auto [rows, taps] = of.kernel(SincTable::one_frame);
        return rows[SincTable::frames_before(taps)];  // at a frame, an interpolation gives the frame itself
    };
    EXPECT_EQ(middle(*table), 1.0F);
    const pid_t child = fork();
    if (child == 0) _exit(middle(*SincTable::shared()) == 1.0F ? 0 : 1);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the child finds zeros in its parent's table";
}

}  // namespace
}  // namespace cueline::test
