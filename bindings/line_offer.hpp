// line_offer.hpp: the capsule by which an extension opens lines of an engine.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "sender.hpp"

namespace cueline::python {

/// Returns a capsule that holds a LineOffer. It and the lines that it opens keep the engine's memory alive.
nanobind::object line_capsule(std::shared_ptr<SharedEngine> shared);

}  // namespace cueline::python
