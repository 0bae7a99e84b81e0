// error.hpp: the exceptions of the control side. The audio side returns codes and counts.
#pragma once

#include <stdexcept>

namespace cueline {

/// An argument is out of its range. The text names the argument, the range and the value.
struct ArgumentError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// A device cannot do what the caller wants. The text says why, and the way out.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// There is no such device at the moment: its library, server or sound card is missing. The text has the way out.
struct NoDeviceError : DeviceError {
    using DeviceError::DeviceError;
};

/// A processor was compiled against a version of cueline that does not fit this one. The text has both versions and the
/// way out.
struct ProcessorMismatchError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Memory is not a link that this version of cueline can use.
struct LinkError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// All lines are open already.
struct LinesTakenError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// As many streams as an engine can have are open already.
struct StreamsTakenError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The engine was closed for good.
struct ClosedError : std::logic_error {
    using std::logic_error::logic_error;
};

/// This process was forked. The engine and its audio thread belong to the parent process.
struct ForkedError : std::logic_error {
    using std::logic_error::logic_error;
};

}  // namespace cueline
