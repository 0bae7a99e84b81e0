// system_windows_test.cpp: what is Windows' own: its clock and its sleep, locked memory, a thread for blocks.
#include <windows.h>

#include <gtest/gtest.h>
#include <process.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/locked_memory.hpp"
#include "system/realtime_thread.hpp"
#include "system/system_pages.hpp"

namespace cueline::test {
namespace {

/// The performance counter in nanoseconds, computed in another way than the clock's.
double counter_ns() {
    LARGE_INTEGER counts{};
    LARGE_INTEGER frequency{};
    QueryPerformanceCounter(&counts);
    QueryPerformanceFrequency(&frequency);
    return static_cast<double>(counts.QuadPart) * 1e9 / static_cast<double>(frequency.QuadPart);
}

TEST(WindowsClock, is_the_performance_counter) {
    constexpr double rounding_ns = 1000;  // a double holds the nanoseconds of a month to less
    for (int round = 0; round < 1000; ++round) {
        const double before = counter_ns();
        const auto block = static_cast<double>(block_clock_ns());
        const auto control = static_cast<double>(monotonic_ns());
        const double after = counter_ns();
        ASSERT_GE(block, before - rounding_ns);
        ASSERT_GE(control, block - rounding_ns);
        ASSERT_LE(control, after + rounding_ns);
    }
}

TEST(WindowsClock, a_sleep_never_ends_too_early) {
    for (const std::uint64_t sleep_ns :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{99}, std::uint64_t{2'666'667}, std::uint64_t{30'000'000}}) {
        const std::uint64_t deadline = block_clock_ns() + sleep_ns;
        sleep_until_ns(deadline);
        EXPECT_GE(block_clock_ns(), deadline) << sleep_ns;
    }
    sleep_until_ns(0);  // long ago
}

/// Pages that nobody else uses.
class SomePages {
  public:
    explicit SomePages(std::size_t bytes) : pages_{map_pages(bytes)} {}
    ~SomePages() { unmap_pages(pages_); }
    SomePages(const SomePages&) = delete;
    SomePages& operator=(const SomePages&) = delete;
    [[nodiscard]] std::span<std::byte> bytes() const { return pages_; }

  private:
    std::span<std::byte> pages_;
};

TEST(WindowsMemory, more_than_the_smallest_working_set_is_locked) {
    const SomePages one{system_page_bytes()};
    if (!LockedMemory{one.bytes()}.granted()) GTEST_SKIP() << "this machine lets nobody lock memory";
    SIZE_T least = 0;
    SIZE_T most = 0;
    ASSERT_NE(GetProcessWorkingSetSize(GetCurrentProcess(), &least, &most), 0);
    const SomePages many{(least / page_bytes + 1024) * page_bytes};
    const LockedMemory first{many.bytes()};
    EXPECT_TRUE(first.granted());
    const LockedMemory again{many.bytes()};
    EXPECT_TRUE(again.granted());
}

/// What a thread with the smallest usual stack found.
struct Found {
    bool stack_locked = false;
    std::size_t sum = 0;
};

/// Touches this much more stack than RealtimeThread has locked.
std::size_t sum_of_a_large_frame() {
    std::array<volatile unsigned char, std::size_t{512} * 1024> bytes;
    for (auto& byte : bytes) byte = 1;
    std::size_t sum = 0;
    for (const auto& byte : bytes) sum += byte;
    return sum;
}

unsigned __stdcall run_blocks(void* found) {
    const RealtimeThread realtime;
    *static_cast<Found*>(found) = {.stack_locked = realtime.stack_locked(), .sum = sum_of_a_large_frame()};
    return 0;
}

TEST(WindowsThread, may_use_the_rest_of_a_stack_of_1_mib) {
    Found found;
    const auto thread = reinterpret_cast<HANDLE>(
        _beginthreadex(nullptr, 1024 * 1024, &run_blocks, &found, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr));
    ASSERT_NE(thread, nullptr);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    EXPECT_EQ(found.sum, std::size_t{512} * 1024);
    const SomePages one{system_page_bytes()};
    EXPECT_TRUE(found.stack_locked || !LockedMemory{one.bytes()}.granted());
}

}  // namespace
}  // namespace cueline::test
