// handled_kinds.cpp: takes the kinds that a processor declares, and refuses others with their names.
#include "handled_kinds.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <utility>

#include "errors.hpp"

namespace cueline::python {

namespace nb = nanobind;

HandledKinds::HandledKinds(const Processor& processor, std::string described, const std::deque<HandledKinds>& all)
    : described_{std::move(described)}, all_{&all} {
    const auto kinds = processor.kinds();
    if (!kinds) return;
    declared_ = std::make_unique<decltype(declared_)::element_type>();
    for (const Kind kind : *kinds) declared_->set(kind);
}

void HandledKinds::refuse(Kind kind) const {
    nb::list handled;
    for (std::size_t each = 0; each < declared_->size(); ++each) {
        if (declared_->test(each)) handled.append(each);
    }
    nb::list others;
    for (const HandledKinds& other : *all_) {
        if (&other != &all_->front() && other.include(kind)) others.append(other.described_);
    }
    const nb::object text = nb::module_::import_("cueline.processors").attr("refused_kind");
    raise("ProcessorError", nb::cast<std::string>(text(described_, kind, handled, others)));
}

}  // namespace cueline::python
