// allocation_counter.cpp: counts the calls of malloc, free and the like.
#include <cerrno>
#include <cstddef>

#include "allocation_counter.hpp"
#include "rule_breaking.hpp"
#include "sanitizers.hpp"

namespace cueline::test {

namespace {
thread_local std::uint64_t calls = 0;
}  // namespace

std::uint64_t allocations_on_this_thread() noexcept CUELINE_NONBLOCKING {
    // A thread-local variable of the executable itself exists from the thread's start. Reading it neither allocates nor
    // waits. The compiler cannot know that.
    return break_the_rule([] { return calls; });
}

#ifdef CUELINE_HEAP_IS_TAKEN
bool allocations_are_counted() noexcept {
    return false;
}
#else
bool allocations_are_counted() noexcept {
    return true;
}

namespace {
void count() noexcept {
    ++calls;
}
}  // namespace
#endif

}  // namespace cueline::test

#ifndef CUELINE_HEAP_IS_TAKEN
// glibc's own functions, under the names that remain when we define the usual ones.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) noexcept {
    cueline::test::count();
    return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
    cueline::test::count();
    return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
    cueline::test::count();
    return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    cueline::test::count();
    return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    return memalign(alignment, bytes);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) noexcept {
    *result = memalign(alignment, bytes);
    return *result == nullptr ? ENOMEM : 0;
}
void free(void* memory) noexcept {
    cueline::test::count();
    __libc_free(memory);
}
}
#endif
