// capacity_of_1000.cpp: not a power of two.
#include <cueline/ring.hpp>

int main() {
    cueline::Ring<int, 1000> ring;
}
