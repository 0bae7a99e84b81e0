// without_gil.hpp: letting go of the GIL while C++ may wait, without being ended there when Python ends.
#pragma once

#include <nanobind/nanobind.h>

namespace cueline::python {

/// While it lives, other Python threads run. Thread: control, with the GIL.
class WithoutGil {
  public:
    WithoutGil();
    ~WithoutGil();
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;

  private:
    PyThreadState* state_ = nullptr;
};

/// Whether Python is ending: nobody lets go of the GIL any more.
bool shutting_down() noexcept;

/// Waits, for five seconds at most, until every thread has the GIL back. Called once, as Python ends.
void shut_down();

}  // namespace cueline::python
