// lateness_test.cpp: the buckets, their counts, and the null device that counts every block.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>

#include <cueline/lateness.hpp>

#include "devices/null_device.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t longest_ns = std::numeric_limits<std::uint64_t>::max();

std::uint64_t all_of(const Lateness& lateness) {
    std::uint64_t sum = 0;
    for (std::size_t bucket = 0; bucket < Lateness::bucket_count; ++bucket) sum += lateness.count(bucket);
    return sum;
}

TEST(Lateness, each_bucket_begins_where_the_one_before_ends) {
    EXPECT_EQ(Lateness::least_ns(0), 0U);
    for (std::size_t bucket = 0; bucket < Lateness::bucket_count; ++bucket) {
        EXPECT_EQ(Lateness::bucket_of(Lateness::least_ns(bucket)), bucket);
        EXPECT_EQ(Lateness::bucket_of(Lateness::least_ns(bucket + 1) - 1), bucket);
    }
}

TEST(Lateness, no_bucket_is_wider_than_an_eighth_of_where_it_begins) {
    for (std::size_t bucket = 0; bucket < 8; ++bucket) {
        EXPECT_EQ(Lateness::least_ns(bucket + 1) - Lateness::least_ns(bucket), 125U);
    }
    for (std::size_t bucket = 8; bucket < Lateness::bucket_count; ++bucket) {
        const std::uint64_t least_ns = Lateness::least_ns(bucket);
        EXPECT_LE(Lateness::least_ns(bucket + 1) - least_ns, least_ns / 8) << bucket;
    }
}

TEST(Lateness, eight_buckets_further_it_is_twice_as_late) {
    EXPECT_EQ(Lateness::least_ns(8), 1000U);
    for (std::size_t bucket = 8; bucket + 8 <= Lateness::bucket_count; ++bucket) {
        EXPECT_EQ(Lateness::least_ns(bucket + 8), 2 * Lateness::least_ns(bucket));
    }
}

TEST(Lateness, what_is_later_than_all_buckets_counts_in_the_last) {
    EXPECT_GT(Lateness::least_ns(Lateness::bucket_count), 16'000'000'000U);
    Lateness lateness;
    lateness.record(Lateness::least_ns(Lateness::bucket_count));
    lateness.record(longest_ns);
    EXPECT_EQ(lateness.count(Lateness::bucket_count - 1), 2U);
    EXPECT_EQ(lateness.worst_ns(), longest_ns);
}

TEST(Lateness, counts_each_in_its_bucket_and_keeps_the_worst) {
    Lateness lateness;
    EXPECT_EQ(all_of(lateness), 0U);
    EXPECT_EQ(lateness.worst_ns(), 0U);
    for (const std::uint64_t late_ns : {0U, 124U, 125U, 50'000U, 2'666'667U, 50'001U}) lateness.record(late_ns);
    EXPECT_EQ(lateness.count(0), 2U);
    EXPECT_EQ(lateness.count(1), 1U);
    EXPECT_EQ(lateness.count(Lateness::bucket_of(50'000)), 2U);
    EXPECT_EQ(lateness.count(Lateness::bucket_of(2'666'667)), 1U);
    EXPECT_EQ(all_of(lateness), 6U);
    EXPECT_EQ(lateness.worst_ns(), 2'666'667U);
}

TEST(Lateness, another_thread_may_read_while_it_is_written) {
    constexpr std::uint64_t blocks = 100'000;
    Lateness lateness;
    std::thread audio{[&] {
        for (std::uint64_t block = 0; block < blocks; ++block) lateness.record(block);
    }};
    std::uint64_t last = 0;
    while (last < blocks) {
        const std::uint64_t now = all_of(lateness);
        EXPECT_GE(now, last);
        last = now;
    }
    audio.join();
    EXPECT_EQ(lateness.worst_ns(), blocks - 1);
}

class Counting final : public BlockCallback {
  public:
    void process(const AudioBlock&, std::uint64_t) noexcept CUELINE_NONBLOCKING override { blocks.add(1); }
    Counter blocks;
};

/// Runs `device` until `blocks` more blocks came.
void run(NullDevice& device, Counting& counting, std::uint64_t blocks) {
    const std::uint64_t wanted = counting.blocks.get() + blocks;
    device.start(counting);
    while (counting.blocks.get() < wanted) std::this_thread::sleep_for(1ms);
    device.stop();
}

constexpr Format format{.samplerate = 48'000, .outputs = 2, .blocksize = 128};

TEST(Lateness, the_null_device_records_every_block_over_stops_too) {
    NullDevice device{format};
    Counting counting;
    run(device, counting, 20);
    EXPECT_EQ(all_of(*device.lateness()), counting.blocks.get());
    run(device, counting, 20);
    EXPECT_EQ(all_of(*device.lateness()), counting.blocks.get());
    EXPECT_GT(device.lateness()->worst_ns(), 0U);
}

}  // namespace
}  // namespace cueline::test
