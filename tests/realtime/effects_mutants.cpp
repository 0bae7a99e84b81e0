// effects_mutants.cpp: the mutants as they are: clang must refuse each act in it. No build compiles this; the tests
// named effects.* do, and look for what clang says.
#include "rule_breakers.hpp"

namespace cueline::test {

// A block function that somebody forgot to mark.
struct Forgotten {
    void process() noexcept {}
};
constexpr void (Forgotten::*unmarked)() noexcept CUELINE_NONBLOCKING = &Forgotten::process;

}  // namespace cueline::test
