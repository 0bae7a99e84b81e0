// sanitizers.hpp: which sanitizers this build has: they take the heap, mlock and stacks for themselves.
#pragma once

#if defined(__has_feature)
#define CUELINE_HAS_FEATURE(name) __has_feature(name)
#else
#define CUELINE_HAS_FEATURE(name) 0
#endif

namespace cueline::test {

#if defined(__SANITIZE_THREAD__) || CUELINE_HAS_FEATURE(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || CUELINE_HAS_FEATURE(address_sanitizer) || \
    CUELINE_HAS_FEATURE(thread_sanitizer) || CUELINE_HAS_FEATURE(realtime_sanitizer)
#define CUELINE_HEAP_IS_TAKEN
inline constexpr bool memory_is_the_systems = false;
#else
/// Whether memory is the system's own matter: a sanitizer answers malloc and mlock itself, and wants large stacks.
inline constexpr bool memory_is_the_systems = true;
#endif

}  // namespace cueline::test
