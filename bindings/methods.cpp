// methods.cpp: reads the arguments of a method, and refuses wrong ones.
#include "methods.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>

#include "message_object.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

std::vector<PyMethodDef*> all_definitions;  // written while the module is imported

}  // namespace

Method::Method(std::string name, const std::vector<Parameter>& parameters, const char* text) : name_{std::move(name)} {
    bool only_by_name = false;
    for (const Parameter& parameter : parameters) {
        if (!signature_.empty()) signature_ += ", ";
        if (parameter.only_by_name && !only_by_name) signature_ += "*, ";
        only_by_name = parameter.only_by_name;
        signature_ += parameter.name;
        if (parameter.default_value.is_valid()) {
            signature_ += "=" + nb::cast<std::string>(nb::repr(parameter.default_value));
        }
        if (!only_by_name) ++by_position_;
        names_.push_back(PyUnicode_InternFromString(parameter.name));
        defaults_.push_back(nb::object{parameter.default_value}.release().ptr());
    }
    doc_ = name_ + "($self, " + (signature_.empty() ? "/" : signature_) + ")\n--\n\n" + text;
    signature_ = "(" + signature_ + ")";
}

void Method::read(PyObject* const* given, std::size_t positional, PyObject* names, PyObject** values) const {
    if (positional > by_position_) {
        raise("ArgumentTypeError", name_ + "() takes " + std::to_string(by_position_) + " arguments by position, got " +
                                       std::to_string(positional) + ": " + name_ + signature_);
    }
    for (std::size_t index = 0; index < positional; ++index) values[index] = given[index];
    const std::size_t named = names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(names));
    for (std::size_t keyword = 0; keyword < named; ++keyword) {
        PyObject* const name = PyTuple_GET_ITEM(names, static_cast<Py_ssize_t>(keyword));
        const std::size_t index = index_of(name);
        if (values[index] != nullptr) {
            raise("ArgumentTypeError", name_ + "() got " + shown(name) + " twice: " + name_ + signature_);
        }
        values[index] = given[positional + keyword];
    }
    for (std::size_t index = 0; index < names_.size(); ++index) {
        if (values[index] != nullptr) continue;
        if (defaults_[index] == nullptr) {
            raise("ArgumentTypeError",
                  name_ + "() needs " + nb::cast<std::string>(nb::handle{names_[index]}) + ": " + name_ + signature_);
        }
        values[index] = defaults_[index];
    }
}

std::size_t Method::index_of(PyObject* name) const {
    auto found = std::ranges::find(names_, name);  // Python interns the names in a call
    if (found == names_.end()) {
        found = std::ranges::find_if(names_, [name](PyObject* own) { return PyUnicode_Compare(own, name) == 0; });
    }
    if (found == names_.end()) {
        raise("ArgumentTypeError", name_ + "() has no argument " + shown(name) + ": " + name_ + signature_);
    }
    return static_cast<std::size_t>(found - names_.begin());
}

void bind_method(nb::handle type, PyMethodDef& definition) {
    const auto bound = nb::steal(PyDescr_NewMethod(as_type(type.ptr()), &definition));
    if (!bound.is_valid()) throw nb::python_error{};
    nb::setattr(type, definition.ml_name, bound);
    if (std::ranges::find(all_definitions, &definition) == all_definitions.end())
        all_definitions.push_back(&definition);
}

void bind_inherited(nb::handle type) {
    for (PyMethodDef* const definition : all_definitions) {
        const nb::object found = nb::getattr(type, definition->ml_name, nb::none());
        if (!Py_IS_TYPE(found.ptr(), &PyMethodDescr_Type)) continue;
        // NOLINTNEXTLINE(*-reinterpret-cast): Python's objects
        if (reinterpret_cast<PyMethodDescrObject*>(found.ptr())->d_method == definition) bind_method(type, *definition);
    }
}

void require_made(PyObject* self) {
    if (nb::inst_ready(self)) return;
    nb::module_::import_("cueline.arguments").attr("refuse_unmade")();
    nb::raise("refuse_unmade() raises");
}

}  // namespace cueline::python
