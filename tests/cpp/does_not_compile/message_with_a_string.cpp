// message_with_a_string.cpp: not trivially copyable.
#include <string>

#include <cueline/ring.hpp>

int main() {
    cueline::Ring<std::string> ring;
}
