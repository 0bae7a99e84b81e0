// wakeups.hpp: how late the null device's blocks began, as Python sees it.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/lateness.hpp>

/// As Python has it: the worst, and of each bucket that is not empty its least, its end and its count.
/// Thread: control, with the GIL.
nanobind::tuple to_python(const cueline::Lateness& lateness);
