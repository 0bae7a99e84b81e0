// copied_producer.cpp: two ends where there may be one.
#include <cueline/ring.hpp>

int main() {
    cueline::Ring<int> ring;
    cueline::Producer one{ring};
    auto two = one;
}
