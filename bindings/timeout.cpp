// timeout.cpp: Timeout: what Python gives, and the wait.
#include "timeout.hpp"

#include <algorithm>
#include <limits>
#include <thread>

#include "errors.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

double checked_seconds(nb::handle given) {
    if (given.is_none()) return std::numeric_limits<double>::infinity();
    if (PyLong_CheckExact(given.ptr()) != 0 && PyObject_IsTrue(given.ptr()) == 0) return 0;  // the default, quickly
    return nb::cast<double>(nb::module_::import_("cueline.arguments").attr("checked_timeout")(given));
}

}  // namespace

Timeout::Timeout(nb::handle given) : given_{given}, seconds_{checked_seconds(given)} {}

bool Timeout::sleep(double seconds) {
    if (!waits()) return false;
    if (!began_) began_ = Clock::now();
    const double left_s = seconds_ - std::chrono::duration<double>(Clock::now() - *began_).count();
    if (left_s <= 0) return false;
    {
        const WithoutGil without_gil;
        std::this_thread::sleep_for(std::chrono::duration<double>{std::min(seconds, left_s)});
    }
    if (PyErr_CheckSignals() != 0) throw nb::python_error{};
    if (shutting_down()) raise("ClosedError", "Python is ending, and there is still no room: the command was dropped");
    return true;
}

void Timeout::raise_full(const std::string& why) const {
    raise("Full", "no room" + (waits() ? " within " + shown(given_) + " s" : "") + ": " + why);
}

}  // namespace cueline::python
