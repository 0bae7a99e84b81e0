// asan_test.cpp: the address, leak and undefined-behaviour sanitizers must each report a mutant. Only their build has
// it.
#include <gtest/gtest.h>

#include <climits>
#include <cstddef>
#include <cstdlib>
#include <memory>

#include <cueline/ring.hpp>

namespace cueline::test {
namespace {

class AddressSanitizer : public testing::Test {
  protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

/// Reads a slot that does not exist, as a ring with a wrong mask would.
int read_past_the_end() {
    const auto ring = std::make_unique<Ring<int, 4>>();
    const volatile std::size_t rings = 1;  // volatile, so that the compiler cannot see the error
    return *reinterpret_cast<const int*>(ring.get() + rings);
}

TEST_F(AddressSanitizer, reports_a_read_past_the_ring) {
    EXPECT_DEATH(std::exit(read_past_the_end()), "AddressSanitizer: heap-buffer-overflow");
}

/// A consumer that outlives its ring.
void use_a_ring_that_is_gone() {
    auto ring = std::make_unique<Ring<int, 4>>();
    Producer producer{*ring};
    ring.reset();
    producer.try_push(1);
}

TEST_F(AddressSanitizer, reports_an_end_that_outlives_its_ring) {
    EXPECT_DEATH(use_a_ring_that_is_gone(), "AddressSanitizer: heap-use-after-free");
}

[[noreturn]] void leak() {
    volatile auto* lost = new Ring<int, 4>;
    lost = nullptr;
    std::exit(lost == nullptr ? 0 : 1);
}

TEST_F(AddressSanitizer, reports_a_leak) {
    EXPECT_DEATH(leak(), "LeakSanitizer: detected memory leaks");
}

int overflow() {
    volatile int number = INT_MAX;
    return number + 1;
}

TEST_F(AddressSanitizer, reports_undefined_arithmetic) {
    EXPECT_DEATH(std::exit(overflow()), "runtime error: signed integer overflow");
}

}  // namespace
}  // namespace cueline::test
