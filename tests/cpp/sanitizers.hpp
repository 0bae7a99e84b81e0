// sanitizers.hpp: which sanitizers this build has: they take the heap, mlock and stacks for themselves.
#pragma once

#if defined(__has_feature)
#define CUELINE_HAS_FEATURE(name) __has_feature(name)
#else
#define CUELINE_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || CUELINE_HAS_FEATURE(address_sanitizer)
#define CUELINE_ADDRESS_SANITIZER 1
#else
#define CUELINE_ADDRESS_SANITIZER 0
#endif
#if defined(__SANITIZE_THREAD__) || CUELINE_HAS_FEATURE(thread_sanitizer)
#define CUELINE_THREAD_SANITIZER 1
#else
#define CUELINE_THREAD_SANITIZER 0
#endif
#if CUELINE_HAS_FEATURE(realtime_sanitizer)
#define CUELINE_REALTIME_SANITIZER 1
#else
#define CUELINE_REALTIME_SANITIZER 0
#endif

namespace cueline::test {

inline constexpr bool thread_sanitizer = CUELINE_THREAD_SANITIZER != 0;

/// Whether memory is the system's own matter: a sanitizer answers mlock itself, and wants large stacks.
inline constexpr bool memory_is_the_systems = CUELINE_ADDRESS_SANITIZER == 0 && CUELINE_THREAD_SANITIZER == 0;

}  // namespace cueline::test
