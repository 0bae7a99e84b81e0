// float_mode.cpp: reads and writes the control register of x86 (MXCSR) and of ARM (FPCR, FPSCR).
#include "system/float_mode.hpp"

#if defined(__SSE__) || defined(_M_X64)  // GCC and clang, or MSVC
#define CUELINE_HAS_MXCSR
#include <xmmintrin.h>
#endif

namespace cueline {

namespace {

#ifdef CUELINE_HAS_MXCSR
// Flush to zero (bit 15), denormals are zero (bit 6), all exceptions masked (bits 7 to 12), round to nearest.
constexpr std::uint64_t block_mode = 0x9FC0;

std::uint64_t read_mode() noexcept CUELINE_NONBLOCKING {
    return _mm_getcsr();
}

void write_mode(std::uint64_t mode) noexcept CUELINE_NONBLOCKING {
    _mm_setcsr(static_cast<unsigned>(mode));
}

#elif defined(__aarch64__)
constexpr std::uint64_t block_mode = std::uint64_t{1} << 24U;  // flush to zero, both ways; the rest is the default

std::uint64_t read_mode() noexcept CUELINE_NONBLOCKING {
    std::uint64_t mode = 0;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}

void write_mode(std::uint64_t mode) noexcept CUELINE_NONBLOCKING {
    asm volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}

#elif defined(__arm__) && defined(__ARM_FP)
constexpr std::uint64_t block_mode = std::uint64_t{1} << 24U;

std::uint64_t read_mode() noexcept CUELINE_NONBLOCKING {
    std::uint32_t mode = 0;
    asm volatile("vmrs %0, fpscr" : "=r"(mode));
    return mode;
}

void write_mode(std::uint64_t mode) noexcept CUELINE_NONBLOCKING {
    asm volatile("vmsr fpscr, %0" : : "r"(static_cast<std::uint32_t>(mode)) : "memory");
}

#else
constexpr std::uint64_t block_mode = 0;

std::uint64_t read_mode() noexcept CUELINE_NONBLOCKING {
    return 0;
}

void write_mode(std::uint64_t /*mode*/) noexcept CUELINE_NONBLOCKING {}
#endif

}  // namespace

BlockFloatMode::BlockFloatMode() noexcept CUELINE_NONBLOCKING : before_{read_mode()} {
    write_mode(block_mode);
}

BlockFloatMode::~BlockFloatMode() noexcept CUELINE_NONBLOCKING {
    write_mode(before_);
}

}  // namespace cueline
