// without_gil.hpp: releases the GIL while C++ may wait. It is safe even if Python ends meanwhile.
#pragma once

#include <nanobind/nanobind.h>

namespace cueline::python {

/// Releases the GIL while it lives, so that other Python threads run.
class WithoutGil {
  public:
    WithoutGil();
    ~WithoutGil();
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;

  private:
    PyThreadState* state_ = nullptr;
};

/// Whether Python is ending. Then WithoutGil keeps the GIL.
bool shutting_down() noexcept;

/// Waits until no thread is in WithoutGil, for five seconds at most. Python's atexit calls it.
void shut_down();

}  // namespace cueline::python
