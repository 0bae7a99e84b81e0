// module.cpp: cueline._core, the part of the library that Python sees. The bindings only translate.
//
// Threads and the GIL. These rules hold for all files in this folder; a function mentions only its exception.
// - Functions run on control threads that hold the GIL. The audio thread runs none of them.
// - Any Python thread may call. A call holds the GIL while it pushes or pops. So all Python threads together are one
//   producer and one consumer.
// - In a Python without a GIL, a NoGilMutex for each direction does the same. With a GIL, it does nothing.
// - No Python code runs under a mutex, because it could call the same object again.
// - Calls that may wait (start, stop, close, render, a send with a timeout) release the GIL: see WithoutGil.
#include <nanobind/nanobind.h>

#include <atomic>
#include <cstdint>

#include <cueline/buffer.hpp>
#include <cueline/line.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/version.hpp>

#include "bindings.hpp"
#include "errors.hpp"
#include "numbers.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;

NB_MODULE(_core, module) {
    using namespace cueline::python;
    module.doc() = "The compiled part of cueline. Use it through the package.";
    // Types are bound once per process, and a sub-interpreter may have a GIL of its own. main_interpreter.py refuses it
    // earlier, because nanobind's set-up has run by now. This check is for Pythons in which that file cannot find out.
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "cueline runs only in Python's main interpreter, and this is a sub-interpreter: create the "
                        "engine in the main interpreter or in another process");
        throw nb::python_error{};
    }
    // A program may still hold an engine when the interpreter exits. That is not a leak.
    nb::set_leak_warnings(false);
    nb::register_exception_translator(&translate);
    module.attr("__version__") = cueline::version;
    module.attr("MESSAGE_BYTES") = cueline::message_bytes;
    module.attr("HEADER_BYTES") = cueline::header_bytes;
    module.attr("PAYLOAD_BYTES") = cueline::payload_bytes;
    module.attr("FIRST_PROCESSOR_KIND") = cueline::kind::first_processor;
    module.attr("MAX_FRAME") = cueline::max_frame;
    module.attr("RING_CAPACITY") = cueline::MessageRing::capacity;
    module.attr("MOST_CURVES") = cueline::max_curves;
    module.attr("LONGEST_TIME_CONSTANT_S") = cueline::longest_time_constant_s;
    module.attr("MAX_MEMBERS") = cueline::max_members;
    module.attr("ATOMICS_ARE_LOCK_FREE") =
        std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free;
    module.attr("MISSING_AUDIO") = CUELINE_MISSING_AUDIO;  // "JACK and PortAudio", or one of them, or ""
    bind_numbers(module);
    bind_messages(module);
    bind_midi(module);
    bind_devices(module);
    bind_timeline(module);
    bind_senders(module);
    bind_processor_controls(module);
    bind_stats(module);
    bind_processors(module);
    bind_engine(module);
    bind_streams(module);
    bind_sequences(module);
    bind_baseline(module);
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&shut_down));
}
