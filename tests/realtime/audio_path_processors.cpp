// audio_path_processors.cpp: the processors whose compiled code is checked: sound ones and mutants. It is compiled and
// never run.
#include <memory>

#include "processors.hpp"
#include "rule_breaking.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {

// NOLINTNEXTLINE(misc-use-internal-linkage): nothing calls it, but it must be compiled
std::unique_ptr<Processor> make_sound(int which) {
    if (which == 0) return std::make_unique<SilenceProcessor>();
    return std::make_unique<WaveProcessor>();
}

template class RuleBreaker<Allocates>;
template class RuleBreaker<MakesALongString>;
template class RuleBreaker<GrowsAVector>;
template class RuleBreaker<LocksAMutex>;
template class RuleBreaker<Prints>;
template class RuleBreaker<Sleeps>;
template class RuleBreaker<Throws>;

}  // namespace cueline::test
