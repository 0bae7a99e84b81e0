// control_arrays.hpp: an array of parameters as Python sees it, and NumPy arrays of numbers.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/parameter.hpp>

#include "sender.hpp"

namespace cueline::python {

/// `value` as a double within the range of `spec`. `name` is for the error. Raises ArgumentError, ArgumentTypeError.
double checked_parameter(const ParameterSpec& spec, std::string_view name, nanobind::handle value);

/// A new NumPy array of doubles, and its memory, `rows` times `columns`. With one row, it has one dimension.
std::pair<nanobind::object, std::span<double>> new_numpy_array(std::size_t rows, std::size_t columns);

/// A live view of the elements of one parameter. It has no state of its own, so any threads may use it.
class ParameterArray {
  public:
    /// The elements of the spec at `spec`, from the address `first` on.
    ParameterArray(std::shared_ptr<SharedEngine> shared, std::size_t spec, std::size_t first)
        : shared_{std::move(shared)}, spec_{spec}, first_{first} {}

    [[nodiscard]] std::size_t size() const { return spec().count; }

    /// `index` is an integer or a slice: returns a float or a list of floats.
    [[nodiscard]] nanobind::object get(nanobind::handle index) const;

    /// `index` is an integer or a slice. For a slice, `value` is a number for all, or a sequence with one for each.
    /// Checks all of it before it sets anything.
    void set(nanobind::handle index, nanobind::handle value) const;

    [[nodiscard]] nanobind::list values() const;

    /// The values as a new NumPy array.
    [[nodiscard]] nanobind::object numpy_array(nanobind::handle dtype, nanobind::handle copy) const;

    [[nodiscard]] std::string repr() const;

  private:
    struct Slice;

    [[nodiscard]] ProcessorControls& controls() const { return shared_->engine->controls(); }
    [[nodiscard]] const ParameterSpec& spec() const { return controls().parameter_specs()[spec_]; }
    [[nodiscard]] std::size_t element_of(nanobind::handle index) const;
    [[nodiscard]] std::string element_name(std::size_t element) const;
    void require_length(const Slice& slice, std::size_t length) const;
    [[nodiscard]] std::vector<double> values_for(const Slice& slice, nanobind::handle value) const;

    std::shared_ptr<SharedEngine> shared_;
    std::size_t spec_;
    std::size_t first_;
};

/// Adds ParameterArray to the module.
void bind_parameter_array(nanobind::module_& module);

}  // namespace cueline::python
