// rule_breaking.hpp: how a mutant, or a test's own measuring, does on the audio thread what the compiler forbids there.
#pragma once

#include <cueline/ring.hpp>

namespace cueline::test {

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
/// Calls `call` though it does what a nonblocking function may not: to see that another check catches it.
template <class Call>
auto break_the_rule(Call call) noexcept CUELINE_NONBLOCKING {
    return call();
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace cueline::test
