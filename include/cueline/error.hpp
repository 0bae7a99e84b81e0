// error.hpp: what the control side throws. The audio side returns codes and counts.
#pragma once

#include <stdexcept>

namespace cueline {

/// An argument out of its range. The text names the argument, its range and what was given.
struct ArgumentError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// A device could not do what was asked of it. The text says why, and the way out.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A processor was compiled against a cueline that this one does not fit. The text has both versions, and the way out.
struct ProcessorMismatchError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// As many lines are open as there can be.
struct LinesTakenError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The engine was closed for good.
struct ClosedError : std::logic_error {
    using std::logic_error::logic_error;
};

/// The engine belongs to the process that this one was forked from, where its audio thread is.
struct ForkedError : std::logic_error {
    using std::logic_error::logic_error;
};

}  // namespace cueline
