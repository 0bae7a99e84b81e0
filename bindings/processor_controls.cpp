// processor_controls.cpp: engine.parameters and engine.meters: a processor's parameters and meters, by name.
#include <nanobind/stl/string.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>

#include "bindings.hpp"
#include "control_arrays.hpp"
#include "errors.hpp"
#include "methods.hpp"
#include "numbers.hpp"
#include "sender.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

nb::str text(std::string_view view) {
    return nb::str{view.data(), view.size()};
}

/// What Parameters and Meters have in common: a share in the engine, and a table of names.
class NamedControls {
  public:
    /// The names, with the index of each.
    [[nodiscard]] const nb::dict& indices() const { return indices_; }

    [[nodiscard]] bool contains(nb::handle name) const { return find(name) != nullptr; }

  protected:
    /// `what`: "parameter" or "meter", for error messages. It has those whose names begin with `prefix`, without it.
    NamedControls(nb::handle_t<SenderHandle> engine, const char* what, std::string prefix)
        : what_{what}, prefix_{std::move(prefix)}, shared_{made(engine).shared()}, engine_{shared_->engine.get()} {}
    ~NamedControls() = default;

    template <class Specs>
    void add_names(const Specs& specs) {
        std::size_t first = 0;
        for (std::size_t index = 0; index < specs.size(); ++index) {
            const std::string_view name = specs[index].name;
            if (name.starts_with(prefix_)) indices_[text(name.substr(prefix_.size()))] = nb::int_(index);
            first_.push_back(first);
            first += specs[index].count;
        }
    }

    /// The address of the first element of the spec at `index`.
    [[nodiscard]] std::size_t first(std::size_t index) const { return first_[index]; }

    /// Raises ArgumentTypeError if the spec at `index` is an array.
    template <class Specs>
    void require_single(const Specs& specs, std::size_t index) const {
        if (specs[index].count == 1) return;
        const std::string name{specs[index].name.substr(prefix_.size())};
        raise("ArgumentTypeError", "'" + name + "' is an array of " + std::to_string(specs[index].count) + " " + what_ +
                                       "s: use " + what_ + "s.array('" + name + "')");
    }

    /// Raises UnknownNameError, with all names.
    [[nodiscard]] std::size_t index_of(nb::handle name) const {
        if (PyObject* const index = find(name); index != nullptr) return PyLong_AsSize_t(index);
        nb::module_::import_("cueline.arguments").attr("refuse_name")(what_, name, indices_, prefix_);
        nb::raise("refuse_name() raises");
    }

    [[nodiscard]] const std::shared_ptr<SharedEngine>& shared() const { return shared_; }
    [[nodiscard]] Engine& engine() const { return *engine_; }
    [[nodiscard]] ProcessorControls& controls() const { return engine_->controls(); }

  private:
    /// The index as a Python object, borrowed; nullptr if there is no such name.
    [[nodiscard]] PyObject* find(nb::handle name) const {
        if (PyUnicode_Check(name.ptr()) == 0) return nullptr;
        // Of a class that derives from str, the text counts, and not its own hash.
        const nb::object exact = nb::steal(PyUnicode_FromObject(name.ptr()));
        if (!exact.is_valid()) throw nb::python_error{};
        PyObject* const index = PyDict_GetItemWithError(indices_.ptr(), exact.ptr());
        if (index == nullptr && PyErr_Occurred() != nullptr) throw nb::python_error{};
        return index;
    }

    const char* what_;
    std::string prefix_;
    std::shared_ptr<SharedEngine> shared_;
    Engine* engine_;  // shared_ owns it
    nb::dict indices_;
    std::vector<std::size_t> first_;  // by the index of the spec
};

class Parameters : public NamedControls {
  public:
    Parameters(nb::handle_t<SenderHandle> engine, std::string prefix)
        : NamedControls{engine, "parameter", std::move(prefix)} {
        add_names(controls().parameter_specs());
    }

    void set(nb::handle name, nb::handle value) {
        const std::size_t index = index_of(name);
        require_single(controls().parameter_specs(), index);
        const double number = checked_parameter(spec_at(index), spec_at(index).name, value);
        engine().require_open();
        controls().set(first(index), number);
    }

    [[nodiscard]] double get(nb::handle name) const {
        const std::size_t index = index_of(name);
        require_single(controls().parameter_specs(), index);
        engine().require_open();
        return controls().get(first(index));
    }

    [[nodiscard]] ParameterArray array(nb::handle name) const {
        const std::size_t index = index_of(name);
        return {shared(), index, first(index)};
    }

    [[nodiscard]] std::size_t first_address_of(nb::handle name) const { return first(index_of(name)); }

    [[nodiscard]] nb::tuple spec(nb::handle name) const {
        const ParameterSpec& spec = spec_at(index_of(name));
        return nb::make_tuple(text(spec.name), spec.lowest, spec.highest, spec.default_value, text(spec.unit),
                              spec.ramp_s, spec.count);
    }

  private:
    [[nodiscard]] const ParameterSpec& spec_at(std::size_t index) const { return controls().parameter_specs()[index]; }
};

class Meters : public NamedControls {
  public:
    Meters(nb::handle_t<SenderHandle> engine, std::string prefix) : NamedControls{engine, "meter", std::move(prefix)} {
        add_names(controls().meter_specs());
    }

    /// The values of the meter's fields, and the frame at which they were taken.
    [[nodiscard]] nb::tuple read(nb::handle name) {
        const std::size_t index = index_of(name);
        require_single(controls().meter_specs(), index);
        engine().require_open();
        const MeterValue value = controls().read(first(index));
        nb::list fields;
        for (std::size_t field = 0; field < spec_at(index).fields.size(); ++field) {
            fields.append(value.fields.at(field));
        }
        return nb::make_tuple(nb::tuple(fields), value.frame);
    }

    /// An array for each field, with the values of all elements.
    [[nodiscard]] nb::tuple array(nb::handle name) const {
        const std::size_t index = index_of(name);
        const std::size_t count = spec_at(index).count;
        const std::size_t fields = spec_at(index).fields.size();
        engine().require_open();
        const auto [array, numbers] = new_numpy_array(fields, count);
        controls().read(first(index), fields, numbers);
        return fields == 1 ? nb::make_tuple(array) : nb::tuple(array);
    }

    [[nodiscard]] nb::tuple spec(nb::handle name) const {
        const MeterSpec& spec = spec_at(index_of(name));
        nb::list fields;
        for (const std::string_view field : spec.fields) fields.append(text(field));
        return nb::make_tuple(text(spec.name), text(spec.unit), nb::tuple(fields), spec.count);
    }

  private:
    [[nodiscard]] const MeterSpec& spec_at(std::size_t index) const { return controls().meter_specs()[index]; }
};

/// Binds the constructor, and the methods of a mapping that Parameters and Meters have in common.
template <class Controls>
nb::class_<Controls> bind_names(nb::class_<Controls> bound) {
    bound.def(nb::init<nb::handle_t<SenderHandle>, std::string>(), "engine"_a, "prefix"_a = "")
        .def("__len__", [](const Controls& self) { return self.indices().size(); })
        .def(
            "__iter__", [](const Controls& self) { return nb::iter(self.indices()); },
            nb::sig("def __iter__(self) -> collections.abc.Iterator[str]"))
        .def(
            "__contains__", [](const Controls& self, nb::handle name) { return self.contains(name); }, "name"_a.none(),
            nb::sig("def __contains__(self, name: object, /) -> bool"));
    return bound;
}

void bind_control_types(nb::module_& module) {
    bind_parameter_array(module);
    bind_names(
        nb::class_<Parameters>(module, "Parameters", nb::is_weak_referenceable(), "An engine's parameters, by name."))
        .def("__getitem__", &Parameters::get, nb::arg().none(), nb::sig("def __getitem__(self, name: str, /) -> float"))
        .def("__setitem__", &Parameters::set, nb::arg().none(), nb::arg().none(),
             nb::sig("def __setitem__(self, name: str, value: float, /) -> None"))
        .def("_spec", &Parameters::spec, "name"_a.none(),
             nb::sig("def _spec(self, name: str) -> tuple[str, float, float, float, str, float, int]"))
        .def("_first_address", &Parameters::first_address_of, "name"_a.none(),
             nb::sig("def _first_address(self, name: str) -> int"))
        .def("array", &Parameters::array, "name"_a.none(), nb::sig("def array(self, name: str) -> ParameterArray"),
             "Return a live view of an array of parameters. Raises UnknownNameError.");

    bind_names(nb::class_<Meters>(module, "Meters", nb::is_weak_referenceable(), "An engine's meters, by name."))
        .def("_read", &Meters::read, "name"_a.none(),
             nb::sig("def _read(self, name: str) -> tuple[tuple[float, ...], int]"))
        .def("_array", &Meters::array, "name"_a.none(),
             nb::sig("def _array(self, name: str) -> tuple[numpy.typing.NDArray[numpy.float64], ...]"))
        .def("_spec", &Meters::spec, "name"_a.none(),
             nb::sig("def _spec(self, name: str) -> tuple[str, str, tuple[str, ...], int]"));
}

}  // namespace

void bind_processor_controls(nb::module_& module) {
    bind_once<ParameterArray, Parameters, Meters>(module, &bind_control_types);
}

}  // namespace cueline::python
