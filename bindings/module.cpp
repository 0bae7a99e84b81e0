// module.cpp: cueline._core: what of the library Python sees. Translation only.
//
// Threads. A call that pushes or pops holds the GIL throughout, and that is what makes any number of Python threads
// one producer and one consumer. On a build without a GIL an ft_mutex for each direction does the same; they are
// the control side's alone. Calls that may wait (start, stop, close, render) let go of the GIL. The audio thread
// takes no part in any of this.
#include <nanobind/nanobind.h>

#include <atomic>
#include <cstdint>

#include <cueline/buffer.hpp>
#include <cueline/control_side.hpp>
#include <cueline/link.hpp>

#include "baseline.hpp"
#include "devices.hpp"
#include "engine_handle.hpp"
#include "errors.hpp"
#include "messages.hpp"
#include "processor_controls.hpp"
#include "processors.hpp"
#include "sender.hpp"
#include "stats.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;

NB_MODULE(_core, module) {
    module.doc() = "The compiled part of cueline. Use it through the package.";
    // Types are bound once in a process, and the GIL that a call holds is to be the only one.
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "cueline runs in Python's main interpreter, and this is a sub-interpreter: make the engine "
                        "there, or use another process");
        throw nb::python_error{};
    }
    // At interpreter exit somebody may well still hold an engine, and that is no leak of ours.
    nb::set_leak_warnings(false);
    nb::register_exception_translator(&translate);
    module.attr("RING_CAPACITY") = cueline::CommandRing::capacity;
    module.attr("MAX_BUFFERS") = cueline::max_buffers;
    module.attr("MAX_MEMBERS") = cueline::max_members;
    module.attr("ATOMICS_ARE_LOCK_FREE") =
        std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free;
    module.attr("MISSING_AUDIO") = CUELINE_MISSING_AUDIO;  // "JACK and PortAudio", or one of them, or ""
    bind_messages(module);
    bind_devices(module);
    bind_senders(module);
    bind_processor_controls(module);
    bind_stats(module);
    bind_processors(module);
    bind_engine(module);
    bind_baseline(module);
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&shut_down));
}
