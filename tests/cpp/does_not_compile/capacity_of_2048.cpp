// capacity_of_2048.cpp: a power of two, but more than the 1024 that the specification allows.
#include <cueline/ring.hpp>

int main() {
    cueline::Ring<int, 2048> ring;
}
