// rule_breaking.hpp: lets mutants and measurements do on the audio thread what the compiler forbids there.
#pragma once

#include <cueline/ring.hpp>

#if __has_include(<sanitizer/rtsan_interface.h>)
#include <sanitizer/rtsan_interface.h>
#endif

/// Between these two, a nonblocking function may do anything.
#if defined(__clang__)
#define CUELINE_RULES_OFF                                                                             \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") \
        _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")
#define CUELINE_RULES_ON _Pragma("clang diagnostic pop")
#else
#define CUELINE_RULES_OFF
#define CUELINE_RULES_ON
#endif

namespace cueline::test {

CUELINE_RULES_OFF
/// Calls `call` from a nonblocking function although it is not allowed there. Another check than the compiler and
/// RealtimeSanitizer must catch it.
template <class Call>
auto break_the_rule(Call call) noexcept CUELINE_NONBLOCKING {
#if __has_include(<sanitizer/rtsan_interface.h>)
    const __rtsan::ScopedDisabler not_watched;
#endif
    return call();
}
CUELINE_RULES_ON

}  // namespace cueline::test
