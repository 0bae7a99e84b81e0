// hand_jack.hpp: a stand-in for JACK whose blocks the test runs.
#pragma once

#include <memory>

#include <cueline/device.hpp>

namespace cueline::test {

/// A JackDevice on it. Make only one at a time.
std::unique_ptr<Device> device_on_hand_jack();

/// Calls the device's process callback, as JACK's thread would.
void run_jack_block() noexcept CUELINE_NONBLOCKING;

}  // namespace cueline::test
