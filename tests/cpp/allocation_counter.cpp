// allocation_counter.cpp: counts the calls of malloc, free and the like; without glibc, those of new and delete.
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

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

#if !defined(CUELINE_HEAP_IS_TAKEN) && !defined(__GLIBC__)
// Other C libraries do not offer their functions under a second name. All other forms of new and delete end in these.
void* operator new(std::size_t bytes) {
    cueline::test::count();
    if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    cueline::test::count();
    const auto unit = static_cast<std::size_t>(alignment);
    if (void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    cueline::test::count();
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    cueline::test::count();
    std::free(memory);
}
#elif !defined(CUELINE_HEAP_IS_TAKEN)
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
