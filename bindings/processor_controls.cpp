// processor_controls.cpp: engine.parameters and engine.meters: names in place of numbers, Python's numbers in place of
// C++'s.
//
// Threads. A call that writes a parameter or reads a meter holds the GIL throughout, which makes any number of Python
// threads one writer and one reader. On a build without a GIL the two ft_mutex do the same.
#include <nanobind/stl/string.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>

#include "bindings.hpp"
#include "sender.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

nb::str text(std::string_view view) {
    return nb::str{view.data(), view.size()};
}

/// The numbers of these specs, by their names.
template <class Specs>
nb::dict numbers_of(const Specs& specs) {
    nb::dict numbers;
    for (std::size_t index = 0; index < specs.size(); ++index) numbers[text(specs[index].name)] = nb::int_(index);
    return numbers;
}

/// The number of that name. Throws UnknownNameError, with the names that there are.
std::size_t number_of(const nb::dict& numbers, nb::handle name, const char* what) {
    PyObject* const number = PyDict_GetItemWithError(numbers.ptr(), name.ptr());
    if (number != nullptr) return PyLong_AsSize_t(number);
    if (PyErr_Occurred() != nullptr) throw nb::python_error{};
    nb::module_::import_("cueline.arguments").attr("refuse_name")(what, name, numbers);
    nb::raise("refuse_name() raises");
}

class Parameters {
  public:
    explicit Parameters(const SenderHandle& engine)
        : shared_{engine.shared()},
          engine_{shared_->engine.get()},
          numbers_{numbers_of(engine_->controls().parameter_specs())} {}

    void set(nb::handle name, nb::handle value) {
        const std::size_t number = number_of(numbers_, name, "parameter");
        const double wanted = checked(number, value);
        engine_->require_open();
        const nb::ft_lock_guard lock{writing_};
        engine_->controls().set(number, wanted);
    }

    [[nodiscard]] double get(nb::handle name) const {
        const std::size_t number = number_of(numbers_, name, "parameter");
        engine_->require_open();
        return engine_->controls().get(number);
    }

    [[nodiscard]] const ParameterSpec& spec(nb::handle name) const {
        return engine_->controls().parameter_specs()[number_of(numbers_, name, "parameter")];
    }

    [[nodiscard]] const nb::dict& numbers() const { return numbers_; }

  private:
    /// As a double, where it is a number in the range. What is not quickly seen to be one is for Python to judge.
    [[nodiscard]] double checked(std::size_t number, nb::handle value) const {
        const ParameterSpec& spec = engine_->controls().parameter_specs()[number];
        if (PyFloat_CheckExact(value.ptr())) {
            const double wanted = PyFloat_AS_DOUBLE(value.ptr());
            if (wanted >= spec.lowest && wanted <= spec.highest) return wanted;
        } else if (PyLong_CheckExact(value.ptr())) {
            const double wanted = PyLong_AsDouble(value.ptr());  // -1 with an error when it is too large for one
            if (PyErr_Occurred() == nullptr && wanted >= spec.lowest && wanted <= spec.highest) return wanted;
            PyErr_Clear();
        }
        const nb::object found =
            nb::module_::import_("cueline.arguments")
                .attr("checked_number")(text(spec.name), value, spec.highest, text(spec.unit), spec.lowest);
        return nb::cast<double>(found);
    }

    std::shared_ptr<SharedEngine> shared_;
    Engine* engine_;
    nb::dict numbers_;
    nb::ft_mutex writing_;
};

class Meters {
  public:
    explicit Meters(const SenderHandle& engine)
        : shared_{engine.shared()},
          engine_{shared_->engine.get()},
          numbers_{numbers_of(engine_->controls().meter_specs())} {}

    /// The numbers of that meter, and the frame that they are of.
    [[nodiscard]] nb::tuple read(nb::handle name) {
        const std::size_t number = number_of(numbers_, name, "meter");
        engine_->require_open();
        MeterValue value;
        {
            const nb::ft_lock_guard lock{reading_};
            value = engine_->controls().read(number);
        }
        nb::list fields;
        for (std::size_t field = 0; field < engine_->controls().meter_specs()[number].fields.size(); ++field) {
            fields.append(value.fields.at(field));
        }
        return nb::make_tuple(nb::tuple(fields), value.frame);
    }

    [[nodiscard]] const MeterSpec& spec(nb::handle name) const {
        return engine_->controls().meter_specs()[number_of(numbers_, name, "meter")];
    }

    [[nodiscard]] const nb::dict& numbers() const { return numbers_; }

  private:
    std::shared_ptr<SharedEngine> shared_;
    Engine* engine_;
    nb::dict numbers_;
    nb::ft_mutex reading_;
};

nb::tuple fields_of(const MeterSpec& spec) {
    nb::list fields;
    for (const std::string_view field : spec.fields) fields.append(text(field));
    return nb::tuple(fields);
}

nb::tuple to_python(const ParameterSpec& spec) {
    return nb::make_tuple(text(spec.name), spec.lowest, spec.highest, spec.default_value, text(spec.unit), spec.ramp_s);
}

/// What is the same of both views: names.
template <class View>
nb::class_<View> bind_names(nb::class_<View> bound) {
    bound.def("__len__", [](const View& self) { return self.numbers().size(); })
        .def(
            "__iter__", [](const View& self) { return nb::iter(self.numbers()); },
            nb::sig("def __iter__(self) -> collections.abc.Iterator[str]"))
        .def(
            "__contains__", [](const View& self, nb::handle name) { return self.numbers().contains(name); },
            "name"_a.none(), nb::sig("def __contains__(self, name: object, /) -> bool"));
    return bound;
}

void bind_anew(nb::module_& module) {
    bind_names(nb::class_<Parameters>(module, "Parameters", nb::is_weak_referenceable(),
                                      "An engine's parameters, by their names."))
        .def(nb::init<const SenderHandle&>(), "engine"_a)
        .def("__getitem__", &Parameters::get, nb::arg().none(), nb::sig("def __getitem__(self, name: str, /) -> float"))
        .def("__setitem__", &Parameters::set, nb::arg().none(), nb::arg().none(),
             nb::sig("def __setitem__(self, name: str, value: float, /) -> None"))
        .def(
            "_spec", [](const Parameters& self, nb::handle name) { return to_python(self.spec(name)); },
            "name"_a.none(), nb::sig("def _spec(self, name: str) -> tuple[str, float, float, float, str, float]"))
        .inc_ref();

    bind_names(nb::class_<Meters>(module, "Meters", nb::is_weak_referenceable(), "An engine's meters, by their names."))
        .def(nb::init<const SenderHandle&>(), "engine"_a)
        .def("_read", &Meters::read, "name"_a.none(),
             nb::sig("def _read(self, name: str) -> tuple[tuple[float, ...], int]"))
        .def(
            "_spec",
            [](const Meters& self, nb::handle name) {
                const MeterSpec& spec = self.spec(name);
                return nb::make_tuple(text(spec.name), text(spec.unit), fields_of(spec));
            },
            "name"_a.none(), nb::sig("def _spec(self, name: str) -> tuple[str, str, tuple[str, ...]]"))
        .inc_ref();
}

}  // namespace

void bind_processor_controls(nb::module_& module) {
    if (!nb::type<Parameters>().is_valid()) {
        bind_anew(module);
        return;
    }
    for (const nb::handle type : {nb::type<Parameters>(), nb::type<Meters>()}) {
        module.attr(type.attr("__name__")) = type;
    }
}

}  // namespace cueline::python
