// control_arrays.cpp: reads and writes many parameters in one call, from Python's sequences and NumPy's arrays.
#include "control_arrays.hpp"

#include <nanobind/stl/string.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "errors.hpp"
#include "numbers.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

std::string range_of(const ParameterSpec& spec) {
    return (digits(spec.lowest) + " to " + digits(spec.highest) + (spec.unit.empty() ? "" : " ")).append(spec.unit);
}

/// The memory of an object that offers one, such as a NumPy array, while this lives.
class Buffer {
  public:
    /// `object` must offer memory. If it refuses this access, this is empty.
    Buffer(nb::handle object, int access) : has_{PyObject_GetBuffer(object.ptr(), &view_, access) == 0} {
        if (!has_ && !clear_if(PyExc_Exception)) throw nb::python_error{};  // Ctrl-C
    }
    ~Buffer() {
        if (has_) PyBuffer_Release(&view_);
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    /// The memory of a contiguous array of doubles.
    [[nodiscard]] double* doubles() const { return static_cast<double*>(view_.buf); }

    /// The numbers of a row of float64 or float32; nothing if it is something else.
    [[nodiscard]] std::optional<std::vector<double>> row() const {
        if (!has_ || view_.ndim != 1 || view_.format == nullptr) return std::nullopt;
        std::string_view format = view_.format;
        const bool little = std::endian::native == std::endian::little;
        if (format.starts_with('@') || format.starts_with('=') || format.starts_with(little ? '<' : '>')) {
            format.remove_prefix(1);
        }
        if (format == "d") return row_of<double>();
        if (format == "f") return row_of<float>();
        return std::nullopt;
    }

  private:
    template <class Number>
    [[nodiscard]] std::vector<double> row_of() const {
        std::vector<double> numbers(static_cast<std::size_t>(view_.shape[0]));
        const auto* at = static_cast<const char*>(view_.buf);
        for (double& number : numbers) {
            Number found;
            std::memcpy(&found, at, sizeof found);  // its place may not be aligned
            number = found;
            at += view_.strides[0];
        }
        return numbers;
    }

    Py_buffer view_{};
    bool has_;
};

/// The numbers of a NumPy array; nothing if it is something else, or masked: its elements are looked at one by one.
std::optional<std::vector<double>> row_of_floats(nb::handle value) {
    if (PyObject_CheckBuffer(value.ptr()) == 0) return std::nullopt;
    const bool plain = std::string_view{Py_TYPE(value.ptr())->tp_name} == "numpy.ndarray";
    if (!plain && PyObject_HasAttrString(value.ptr(), "mask") != 0) return std::nullopt;
    return Buffer{value, PyBUF_STRIDED_RO | PyBUF_FORMAT}.row();
}

}  // namespace

double checked_parameter(const ParameterSpec& spec, std::string_view name, nb::handle value) {
    const RealNumber number = real_number(value.ptr());
    if (number.conversion == Conversion::not_a_number) refuse_type(name, "a number", value);
    const bool in_range = number.value >= spec.lowest && number.value <= spec.highest;  // false for NaN
    if (number.conversion == Conversion::too_large || !in_range) refuse_range(name, range_of(spec), value);
    return number.value;
}

std::pair<nb::object, std::span<double>> new_numpy_array(std::size_t rows, std::size_t columns) {
    const nb::object empty = nb::module_::import_("numpy").attr("empty");
    nb::object array = rows == 1 ? empty(columns) : empty(nb::make_tuple(rows, columns));
    double* const memory = Buffer{array, PyBUF_CONTIG}.doubles();  // it stays there as long as the array
    return {std::move(array), std::span{memory, rows * columns}};
}

/// A slice of the elements: `count` from `start`, each `step` behind the last.
struct ParameterArray::Slice {
    Slice(nb::handle slice, std::size_t size) {
        if (PySlice_Unpack(slice.ptr(), &start, &stop, &step) != 0) throw nb::python_error{};
        count = static_cast<std::size_t>(PySlice_AdjustIndices(static_cast<Py_ssize_t>(size), &start, &stop, step));
    }

    [[nodiscard]] std::size_t element(std::size_t place) const {
        return static_cast<std::size_t>(start + static_cast<Py_ssize_t>(place) * step);
    }
    [[nodiscard]] std::string text() const {
        std::string text = "[" + std::to_string(start) + ":" + std::to_string(stop);
        if (step != 1) text.append(":").append(std::to_string(step));
        return text.append("]");
    }

    Py_ssize_t start = 0;
    Py_ssize_t stop = 0;
    Py_ssize_t step = 1;
    std::size_t count = 0;
};

std::string ParameterArray::element_name(std::size_t element) const {
    return std::string{spec().name}.append("[").append(std::to_string(element)).append("]");
}

std::size_t ParameterArray::element_of(nb::handle index) const {
    const nb::object number = whole_number(index.ptr());
    if (!number.is_valid())
        refuse_type(std::string{"an index of "}.append(spec().name), "an integer or a slice", index);
    int overflow = 0;
    const long long wanted = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    const auto count = static_cast<long long>(size());
    if (overflow != 0 || wanted < -count || wanted >= count) {
        refuse_range(std::string{"an index of "}.append(spec().name),
                     std::to_string(-count) + " to " + std::to_string(count - 1), index);
    }
    return static_cast<std::size_t>(wanted < 0 ? wanted + count : wanted);
}

void ParameterArray::require_length(const Slice& slice, std::size_t length) const {
    if (length == slice.count) return;
    raise("ArgumentError", std::string{spec().name} + slice.text() + " takes " + std::to_string(slice.count) +
                               " values or one number, got " + std::to_string(length) + " values");
}

std::vector<double> ParameterArray::values_for(const Slice& slice, nb::handle value) const {
    const std::string name = std::string{spec().name}.append(slice.text());
    if (std::optional<std::vector<double>> floats = row_of_floats(value)) {
        require_length(slice, floats->size());
        return std::move(*floats);  // controls().set() checks them
    }
    std::vector<double> values;
    if (real_number(value.ptr()).conversion != Conversion::not_a_number) {
        values.assign(slice.count, checked_parameter(spec(), name, value));
    } else {
        const Py_ssize_t length = PySequence_Check(value.ptr()) == 0 ? -1 : PySequence_Size(value.ptr());
        if (length < 0) {
            // Python raises these for a __len__ that returns no length.
            const bool raised = PyErr_Occurred() != nullptr && !clear_if(PyExc_TypeError) &&
                                !clear_if(PyExc_ValueError) && !clear_if(PyExc_OverflowError);
            if (raised) throw nb::python_error{};
            refuse_type(name, "a number or a sequence of numbers", value);
        }
        require_length(slice, static_cast<std::size_t>(length));  // before a list is made: a range may be endless
        const nb::object items = nb::steal(PySequence_List(value.ptr()));  // a list of our own: a check may run code
        if (!items.is_valid()) throw nb::python_error{};
        for (const nb::handle item : nb::borrow<nb::list>(items)) {
            values.push_back(checked_parameter(spec(), element_name(slice.element(values.size())), item));
        }
        require_length(slice, values.size());
    }
    return values;
}

nb::object ParameterArray::get(nb::handle index) const {
    if (PySlice_Check(index.ptr()) == 0) {
        const std::size_t element = element_of(index);
        shared_->engine->require_open();
        return nb::float_(controls().get(first_ + element));
    }
    const Slice slice{index, size()};
    shared_->engine->require_open();
    nb::list found;
    for (std::size_t place = 0; place < slice.count; ++place) {
        found.append(controls().get(first_ + slice.element(place)));
    }
    return found;
}

void ParameterArray::set(nb::handle index, nb::handle value) const {
    if (PySlice_Check(index.ptr()) == 0) {
        const std::size_t element = element_of(index);
        const double number = checked_parameter(spec(), element_name(element), value);
        shared_->engine->require_open();
        controls().set(first_ + element, number);
        return;
    }
    const Slice slice{index, size()};
    const std::vector<double> values = values_for(slice, value);
    shared_->engine->require_open();
    controls().set(first_ + slice.element(0), values, slice.step);
}

nb::list ParameterArray::values() const {
    shared_->engine->require_open();
    nb::list found;
    for (std::size_t element = 0; element < size(); ++element) found.append(controls().get(first_ + element));
    return found;
}

nb::object ParameterArray::numpy_array(nb::handle dtype, nb::handle copy) const {
    if (copy.is(Py_False)) {
        raise("ArgumentError", std::string{spec().name} + " can only be copied into an array: use copy=None");
    }
    shared_->engine->require_open();
    auto [array, numbers] = new_numpy_array(1, size());
    for (std::size_t element = 0; element < size(); ++element) numbers[element] = controls().get(first_ + element);
    return dtype.is_none() ? array : nb::object{array.attr("astype")(dtype)};
}

std::string ParameterArray::repr() const {
    return "<cueline.ParameterArray '" + std::string{spec().name} + "' of " + std::to_string(size()) + ">";
}

void bind_parameter_array(nb::module_& module) {
    nb::class_<ParameterArray>(
        module, "ParameterArray", nb::is_weak_referenceable(),
        "An array of an engine's parameters: a live view. ``engine.parameters.array(name)`` "
        "returns one.\n\n"
        "``view[17] = 0.5`` sets one element, ``view[:] = 0.8`` all of them, and "
        "``view[2:5] = values`` a slice, from a sequence or a NumPy array. All values of an "
        "assignment are checked before any is set, and it never blocks. If a block begins while "
        "you set a slice, it may take a part of it, and the next block the rest. ``view[17]`` and "
        "``view[2:5]`` return what was last set, and ``numpy.asarray(view)`` copies all of it.\n\n"
        "Any Python thread may use it. Raises ArgumentError for an index or a value out of range, "
        "and for another number of values than of elements; ArgumentTypeError for a value that is "
        "not a number; ClosedError, ForkedError.")
        .def("__len__", &ParameterArray::size)
        .def("__getitem__", &ParameterArray::get, nb::arg().none(),
             nb::sig("def __getitem__(self, index: typing.SupportsIndex, /) -> float"))
        .def("__getitem__", &ParameterArray::get, nb::arg().none(),
             nb::sig("def __getitem__(self, index: slice, /) -> list[float]"))
        .def("__setitem__", &ParameterArray::set, nb::arg().none(), nb::arg().none(),
             nb::sig("def __setitem__(self, index: typing.SupportsIndex | slice, "
                     "value: float | collections.abc.Sequence[float] | numpy.typing.NDArray[typing.Any], /) -> None"))
        .def(
            "__iter__", [](const ParameterArray& self) { return nb::iter(self.values()); },
            nb::sig("def __iter__(self) -> collections.abc.Iterator[float]"))
        .def("__array__", &ParameterArray::numpy_array, "dtype"_a.none() = nb::none(), "copy"_a.none() = nb::none(),
             nb::sig("def __array__(self, dtype: numpy.typing.DTypeLike | None = None, copy: bool | None = None) -> "
                     "numpy.typing.NDArray[typing.Any]"))
        .def("__repr__", &ParameterArray::repr);
}

}  // namespace cueline::python
