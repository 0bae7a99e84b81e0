// ring_takeovers.cpp: kills the ends of the ring.hpp that is found first, and replaces them. It is for rings that are
// broken on purpose.
#include <cstdio>
#include <string>

#include <cueline/ring.hpp>

#include "takeover_checks.hpp"

int main() {  // NOLINT(bugprone-exception-escape): then it prints no result, and the test fails
    std::string wrong = cueline::test::producers_takeover_fails<4>();
    if (wrong.empty()) wrong = cueline::test::consumers_takeover_fails<4>();
    if (wrong.empty()) return 0;
    std::printf("takeover: %s\n", wrong.c_str());
    return 1;
}
