// sanitizers.hpp: which sanitizers this build has. They replace the heap, mlock or the stacks.
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

#if defined(__SANITIZE_ADDRESS__) || CUELINE_HAS_FEATURE(address_sanitizer)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif

inline constexpr bool realtime_sanitizer = CUELINE_HAS_FEATURE(realtime_sanitizer);

/// Whether mlock and stacks are the system's own. Some sanitizers replace mlock, and need large stacks.
inline constexpr bool memory_is_the_systems = !thread_sanitizer && !address_sanitizer;

}  // namespace cueline::test

// Defined if a sanitizer has replaced malloc, so that we cannot count its calls.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || CUELINE_HAS_FEATURE(address_sanitizer) || \
    CUELINE_HAS_FEATURE(thread_sanitizer) || CUELINE_HAS_FEATURE(realtime_sanitizer)
#define CUELINE_HEAP_IS_TAKEN
#endif
