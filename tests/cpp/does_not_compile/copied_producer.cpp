// copied_producer.cpp: it would make a second producer.
#include <cueline/ring.hpp>

int main() {
    cueline::Ring<int> ring;
    cueline::Producer one{ring};
    auto two = one;
}
