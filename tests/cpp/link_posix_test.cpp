// link_posix_test.cpp: a link in memory that two processes share.
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/error.hpp>
#include <cueline/line.hpp>

#include "refusal.hpp"

namespace cueline::test {
namespace {

/// Anonymous memory in a file, mapped twice: what two processes would share.
class TwoMappings {
  public:
    explicit TwoMappings(std::size_t bytes) : bytes_{bytes}, file_{memfd_create("link", 0)} {
        EXPECT_GE(file_, 0);
        EXPECT_EQ(ftruncate(file_, static_cast<off_t>(bytes)), 0);
        for (void*& mapping : mappings_) {
            mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
            EXPECT_NE(mapping, MAP_FAILED);
        }
    }
    TwoMappings(const TwoMappings&) = delete;
    TwoMappings& operator=(const TwoMappings&) = delete;
    ~TwoMappings() {
        for (void* const mapping : mappings_) munmap(mapping, bytes_);
        close(file_);
    }
    [[nodiscard]] std::span<std::byte> here() const { return {static_cast<std::byte*>(mappings_[0]), bytes_}; }
    [[nodiscard]] std::span<std::byte> there() const { return {static_cast<std::byte*>(mappings_[1]), bytes_}; }

  private:
    std::size_t bytes_;
    int file_;
    std::array<void*, 2> mappings_{};
};

constexpr LinkShape small{.lines = 2, .parameters = 3, .meters = 1, .declared = 77};

TEST(Link, works_through_two_mappings_of_one_memory) {
    const TwoMappings memory{Link::bytes_for(small)};
    const Link here = Link::make(memory.here(), small);
    const Link there = Link::attach(memory.there());
    EXPECT_EQ(there.shape(), small);
    Line line = open_line(here);
    AudioSide audio{there};
    ASSERT_EQ(line.send(300, 42), Status::ok);
    audio.begin_block(5);
    int received = 0;
    audio.read([&](std::span<const Message> whole) noexcept {
        received = whole.front().as<int>();
        audio.events().send(400, 43, whole.front());
    });
    EXPECT_EQ(received, 42);
    Message message;
    ASSERT_EQ(line.receive(message), Status::ok);
    EXPECT_EQ(message.as<int>(), 43);
    EXPECT_EQ(here.line(1).events.stats().sent, 1U);
    EXPECT_EQ(there.line(1).events.stats().sent, 1U);
}

TEST(Link, refuses_memory_that_is_no_link_of_this_version) {
    const TwoMappings memory{Link::bytes_for(small)};
    const auto why = [&memory](std::size_t bytes) {
        return refusal<LinkError>([&] { Link::attach(memory.there().first(bytes)); });
    };
    const std::size_t all = memory.here().size();
    EXPECT_EQ(why(all), "this memory cannot be a link: it is no link");
    EXPECT_EQ(why(100), "this memory cannot be a link: it has fewer bytes than a header");
    Link::make(memory.here(), small);
    auto& header = *reinterpret_cast<LinkHeader*>(memory.here().data());
    EXPECT_EQ(why(all - 1), "this memory cannot be a link: its offsets do not fit its counts");
    header.lines_at += 64;
    EXPECT_EQ(why(all), "this memory cannot be a link: its offsets do not fit its counts");
    header.lines_at -= 64;
    header.shape.lines = 65;
    EXPECT_EQ(why(all), "this memory cannot be a link: its counts are out of range");
    header.shape.lines = 2;
    header.layout = 0;
    EXPECT_EQ(why(all),
              "this memory cannot be a link: it has layout 0, and this version of cueline has 1: use the same version "
              "on both sides");
}

}  // namespace
}  // namespace cueline::test
