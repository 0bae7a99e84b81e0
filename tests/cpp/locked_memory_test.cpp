// locked_memory_test.cpp: locked ranges and pages: contents, refusals, and pages that two owners share.
#include "system/locked_memory.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "processors/cfunc_processor.hpp"
#include "sanitizers.hpp"
#include "system/locked_array.hpp"
#include "system/locked_pages.hpp"
#include "system/system_pages.hpp"

namespace cueline::test {
namespace {

/// Whether the kernel has the page at this address locked: the flag "lo" of the mapping around it.
bool is_locked(const std::byte* address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream mappings{"/proc/self/smaps"};
    bool around = false;
    for (std::string line; std::getline(mappings, line);) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        std::istringstream words{line};
        if (words >> std::hex >> begin >> dash >> end && dash == '-') around = begin <= wanted && wanted < end;
        if (around && line.starts_with("VmFlags:")) return line.find(" lo") != std::string::npos;
    }
    return false;
}

/// Four pages that nobody else uses.
class LockedMemoryTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!memory_is_the_systems) GTEST_SKIP() << "a sanitizer answers mlock in the system's place";
        void* const mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(mapped, MAP_FAILED);
        memory_ = static_cast<std::byte*>(mapped);
        if (!LockedMemory{range(0, 4)}.granted()) GTEST_SKIP() << "this machine lets nobody lock memory";
    }
    void TearDown() override {
        if (memory_ != nullptr) munmap(memory_, bytes_);
    }

    /// From one place to another, counted in pages.
    [[nodiscard]] std::span<std::byte> range(double from, double to) const {
        const auto at = [this](double pages) {
            return memory_ + static_cast<std::size_t>(pages * static_cast<double>(page_));
        };
        return {at(from), at(to)};
    }
    /// One letter a page: L if it is locked, - if not.
    [[nodiscard]] std::string locks() const {
        std::string letters;
        for (std::size_t page = 0; page < 4; ++page) letters += is_locked(memory_ + page * page_) ? 'L' : '-';
        return letters;
    }

    std::size_t page_ = system_page_bytes();
    std::size_t bytes_ = 4 * page_;
    std::byte* memory_ = nullptr;
};

TEST_F(LockedMemoryTest, a_page_stays_locked_until_the_last_of_its_owners_ends) {
    EXPECT_EQ(locks(), "----");
    std::optional<LockedMemory> one{range(0.5, 1.5)};
    std::optional<LockedMemory> other{range(1.5, 2.5)};
    EXPECT_EQ(locks(), "LLL-");
    one.reset();
    EXPECT_EQ(locks(), "-LL-");
    one.emplace(range(0.5, 1.5));
    other.reset();
    EXPECT_EQ(locks(), "LL--");
    one.reset();
    EXPECT_EQ(locks(), "----");
}

TEST_F(LockedMemoryTest, ranges_may_lie_in_each_other) {
    std::optional<LockedMemory> all{range(0, 4)};
    const LockedMemory second{range(1.25, 1.5)};
    const LockedMemory again{range(1.25, 1.75)};
    const LockedMemory fourth{range(3, 4)};
    EXPECT_EQ(locks(), "LLLL");
    all.reset();
    EXPECT_EQ(locks(), "-L-L");
    all.emplace(range(0, 4));
    {
        const LockedMemory twice{range(0, 4)};
    }
    EXPECT_EQ(locks(), "LLLL");
}

TEST_F(LockedMemoryTest, the_state_of_c_functions_is_locked_when_they_are_prepared) {
    CFuncProcessor processor{{.state = memory_, .state_bytes = bytes_}, {}, {}};
    EXPECT_EQ(locks(), "----") << "this may be another process than the one that runs it";
    processor.prepare({});
    EXPECT_EQ(locks(), "LLLL");
    munlock(memory_, bytes_);  // as a fork does for the child
    processor.prepare({});
    EXPECT_EQ(locks(), "LLLL");
}

TEST_F(LockedMemoryTest, an_empty_range_is_granted) {
    EXPECT_TRUE(LockedMemory{{}}.granted());
    EXPECT_TRUE(LockedMemory{range(1, 1)}.granted());
    EXPECT_EQ(locks(), "----");
}

TEST(LockedMemory, leaves_the_bytes_as_they_were) {
    std::vector<unsigned char> bytes(std::size_t{5} * page_bytes);
    for (std::size_t index = 0; index < bytes.size(); ++index) bytes[index] = static_cast<unsigned char>(index * 31);
    const std::vector<unsigned char> before = bytes;
    {
        const LockedMemory locked{std::as_writable_bytes(std::span{bytes})};
    }
    EXPECT_EQ(bytes, before);
}

TEST(LockedPages, are_whole_and_shared_with_nobody) {
    const std::size_t page = system_page_bytes();
    const LockedPages small{1};
    EXPECT_EQ(small.bytes().size(), page);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(small.bytes().data()) % page, 0U);
    EXPECT_EQ(LockedPages{page + 1}.bytes().size(), 2 * page);
    EXPECT_TRUE(LockedPages{0}.bytes().empty());
    EXPECT_TRUE(LockedPages{}.granted());
}

TEST_F(LockedMemoryTest, pages_stay_locked_when_they_move) {
    LockedPages first{3 * page_};
    ASSERT_TRUE(first.granted());
    const std::byte* const last_byte = &first.bytes().back();
    EXPECT_TRUE(is_locked(last_byte));
    LockedPages second{page_};
    second = std::move(first);
    EXPECT_EQ(&second.bytes().back(), last_byte);
    EXPECT_TRUE(second.granted());
    EXPECT_TRUE(is_locked(last_byte));
    second = {};
    EXPECT_FALSE(is_locked(last_byte));
}

/// Forks, and returns the page faults of this thread when it then writes to `pages`. The child lives meanwhile, and
/// ends with its first byte of `pages`.
std::pair<long, int> faults_after_a_fork(std::span<std::byte> pages) {
    std::array<int, 2> line{};
    EXPECT_EQ(pipe(line.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
        char go = 0;
        close(line[1]);
        const auto got = read(line[0], &go, 1);
        _exit(got == 0 ? std::to_integer<int>(pages[0]) : 99);
    }
    const auto write_to_all = [&] {
        for (std::size_t offset = 0; offset < pages.size(); offset += page_bytes) {
            static_cast<volatile std::byte&>(pages[offset]) = std::byte{2};
        }
    };
    const auto faults = [] {
        rusage usage{};
        getrusage(RUSAGE_THREAD, &usage);
        return usage.ru_minflt;
    };
    faults();  // brings in what it needs itself
    const long before = faults();
    write_to_all();
    const long after = faults();
    close(line[0]);
    close(line[1]);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return {after - before, WEXITSTATUS(status)};
}

/// Whether a child finds zeros in pages for which the kernel was asked for that. qemu says yes, and does nothing.
bool kernel_wipes_on_fork() {
    void* const page = mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    const std::span bytes{static_cast<std::byte*>(page), page_bytes};
    bytes[0] = std::byte{1};
    const bool wipes = madvise(page, page_bytes, MADV_WIPEONFORK) == 0 && faults_after_a_fork(bytes).second == 0;
    munmap(page, page_bytes);
    return wipes;
}

TEST(LockedPages, cost_no_page_fault_after_a_fork_and_a_child_finds_zeros) {
    if (!kernel_wipes_on_fork()) GTEST_SKIP() << "needs a kernel with MADV_WIPEONFORK: qemu ignores it";
    constexpr std::size_t pages = 64;
    const LockedPages own{pages * page_bytes};
    std::ranges::fill(own.bytes(), std::byte{1});
    const auto [faults, child_found] = faults_after_a_fork(own.bytes());
    EXPECT_TRUE(thread_sanitizer || faults < 8) << faults;  // the sanitizer has memory of its own beside each page
    EXPECT_EQ(child_found, 0);
    EXPECT_EQ(own.bytes()[1], std::byte{1}) << "the parent keeps what it wrote";

    // The check can fail: ordinary memory is shared with the child, and copied page by page.
    std::vector<std::byte> shared((pages + 1) * page_bytes, std::byte{1});
    const auto [copies, inherited] = faults_after_a_fork(shared);
    EXPECT_GE(copies, static_cast<long>(pages));
    EXPECT_EQ(inherited, 1);
}

TEST(LockedPages, that_were_freed_are_inherited_again) {
    for (int round = 0; round < 2; ++round) {
        const LockedPages freed{64 * page_bytes};
    }
    std::vector<std::byte> reused(65 * page_bytes, std::byte{1});  // where the heap had them, or not
    EXPECT_EQ(faults_after_a_fork(reused).second, 1);
}

TEST(LockedArray, has_as_many_objects_as_were_wanted_and_each_is_made) {
    struct Counted {
        std::uint32_t number = 7;
    };
    LockedArray<Counted> three{3};
    EXPECT_EQ(three.size(), 3U);
    for (const Counted& one : three.all()) EXPECT_EQ(one.number, 7U);
    EXPECT_EQ(LockedArray<double>{2}.all()[1], 0.0);
}

TEST(LockedArray, of_nothing_has_no_memory) {
    EXPECT_EQ(LockedArray<double>{0}.all().data(), nullptr);
    EXPECT_TRUE(LockedArray<double>{}.granted());
}

TEST(LockedArray, keeps_its_objects_where_they_are_when_it_moves) {
    LockedArray<std::uint32_t> first{1'000};
    const std::uint32_t* const where = first.all().data();
    LockedArray<std::uint32_t> second{1};
    second = std::move(first);
    EXPECT_EQ(second.all().data(), where);
    EXPECT_EQ(second.size(), 1'000U);
}

TEST(LockedArray, longer_than_memory_is_refused) {
    EXPECT_THROW(LockedArray<double>{static_cast<std::size_t>(-1)}, std::bad_alloc);
}

}  // namespace
}  // namespace cueline::test
