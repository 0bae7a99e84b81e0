// ring_against_model.cpp: compares the ring.hpp that is found first with a bounded deque. It is for rings that are
// broken on purpose.
#include <cstdio>
#include <string>

#include <cueline/ring.hpp>

#include "ring_checks.hpp"

int main() {  // NOLINT(bugprone-exception-escape): then it prints no result, and the test fails
    using cueline::test::Wide;
    const std::string wrong = cueline::test::differs_from_model<cueline::Ring<Wide<2>, 8>>(
        0, cueline::test::seed(), 200'000, cueline::test::Watch::indices, 50);
    if (wrong.empty()) return 0;
    std::printf("differs: %s\n", wrong.c_str());
    return 1;
}
