// no_gil_mutex.hpp: a mutex that does, in a Python without a GIL, what the GIL does elsewhere.
#pragma once

#include <nanobind/nanobind.h>

#include <mutex>

namespace cueline::python {

/// Lets one thread at a time into a few lines of C++. With a GIL it is empty, because the GIL does the same.
///
/// Under it, call nothing of Python's. That is why it is not an nb::ft_mutex, which is Python's own: whoever waits for
/// that one gives up its thread state, and takes it back when it holds the mutex. In between, another thread may fork,
/// or end the interpreter, and the mutex stays locked for ever. Here a thread keeps its thread state while it waits and
/// while it holds the mutex. So a fork, and Python's end, come when no thread holds it.
class NoGilMutex {
  public:
#ifdef Py_GIL_DISABLED
    void lock() { mutex_.lock(); }
    bool try_lock() { return mutex_.try_lock(); }
    void unlock() { mutex_.unlock(); }

  private:
    std::mutex mutex_;
#else
    void lock() {}
    // NOLINTNEXTLINE(readability-convert-member-functions-to-static): without the GIL it uses a member
    bool try_lock() { return true; }
    void unlock() {}
#endif
};

}  // namespace cueline::python
