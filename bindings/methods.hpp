// methods.hpp: methods that users call often, bound with Python's C API.
//
// A method that nanobind binds has no signature for `inspect`, and its TypeError for wrong arguments is not one of
// cueline's. These methods have both. A call costs less too.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "errors.hpp"

namespace cueline::python {

/// A parameter of a method, beside `self`.
struct Parameter {
    const char* name;
    nanobind::object default_value = {};  // none: the argument is required
    bool only_by_name = false;
};

/// What a method takes, for the check of its arguments. It lives as long as the process.
class Method {
  public:
    Method(std::string name, const std::vector<Parameter>& parameters, const char* text);

    /// For Python: the signature, and the text.
    [[nodiscard]] const char* doc() const { return doc_.c_str(); }

    /// Writes the value of each parameter to `values`, which has room for all of them: borrowed references. `given` are
    /// the arguments, first those by position. Raises ArgumentTypeError.
    void read(PyObject* const* given, std::size_t positional, PyObject* names, PyObject** values) const;

  private:
    [[nodiscard]] std::size_t index_of(PyObject* name) const;

    std::string name_;
    std::string signature_;  // "(message, at=None)"
    std::string doc_;
    std::vector<PyObject*> names_;     // interned
    std::vector<PyObject*> defaults_;  // nullptr: required
    std::size_t by_position_ = 0;
};

/// Binds a method to a class. `definition` lives as long as the process.
void bind_method(nanobind::handle type, PyMethodDef& definition);

/// Binds the methods that `type` inherits to `type` itself: a call on one of its instances then takes some 10 ns less.
/// A method that a class in between has replaced stays as it is.
void bind_inherited(nanobind::handle type);

/// Raises ClosedError unless the constructor of `self` has finished.
void require_made(PyObject* self);

/// The C++ object in `object`. Calls require_made().
template <class Handle>
Handle& made(nanobind::handle_t<Handle> object) {
    require_made(object.ptr());
    return *nanobind::inst_ptr<Handle>(object);
}

/// A member function for nanobind that calls require_made() first.
template <class Handle, class Result, class... Values>
auto of_made(Result (Handle::*member)(Values...)) {
    return [member](nanobind::handle_t<Handle> self, Values... values) -> Result {
        return (made(self).*member)(std::forward<Values>(values)...);
    };
}
template <class Handle, class Result, class... Values>
auto of_made(Result (Handle::*member)(Values...) const) {
    return [member](nanobind::handle_t<Handle> self, Values... values) -> Result {
        return (made(self).*member)(std::forward<Values>(values)...);
    };
}

/// Adds member functions of `Handle`, or of a base, to a class that nanobind binds. Each takes a nanobind::handle for
/// each parameter.
template <class Handle>
class Methods {
  public:
    explicit Methods(nanobind::handle type) : type_{type} {}

    template <auto member>
    Methods& add(const char* name, const std::vector<Parameter>& parameters, const char* text) {
        using Bound = Binding<member, decltype(member)>;
        if (Bound::method == nullptr) {
            Bound::method = new Method{name, parameters, text};  // NOLINT(*-owning-memory): as long as the process
            Bound::definition = {name, as_function(&Bound::call), METH_FASTCALL | METH_KEYWORDS, Bound::method->doc()};
        }
        bind_method(type_, Bound::definition);
        return *this;
    }

  private:
    static PyCFunction as_function(PyObject* (*call)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*) noexcept) {
        // NOLINTNEXTLINE(*-reinterpret-cast,bugprone-casting-through-void): Python's way
        return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(call));
    }

    template <auto member, class Type>
    struct Binding;

    template <auto member, class Owner, class Result, class... Values>
    struct Binding<member, Result (Owner::*)(Values...) const> : Binding<member, Result (Owner::*)(Values...)> {};

    template <auto member, class Owner, class Result, class... Values>
    struct Binding<member, Result (Owner::*)(Values...)> {
        static inline const Method* method = nullptr;
        static inline PyMethodDef definition{};

        static PyObject* call(PyObject* self, PyObject* const* given, Py_ssize_t count, PyObject* names) noexcept {
            return guarded([&]() -> PyObject* {
                require_made(self);
                Handle& handle = *nanobind::inst_ptr<Handle>(self);
                const auto positional = static_cast<std::size_t>(count);
                std::array<PyObject*, sizeof...(Values)> values{};
                if constexpr (sizeof...(Values) == 0) {
                    if (positional != 0 || names != nullptr) method->read(given, positional, names, nullptr);
                } else {
                    method->read(given, positional, names, values.data());
                }
                return with(handle, values.data(), std::index_sequence_for<Values...>{});
            });
        }

        template <std::size_t... index>
        static PyObject* with(Handle& handle, [[maybe_unused]] PyObject** values, std::index_sequence<index...>) {
            if constexpr (std::is_void_v<Result>) {
                (handle.*member)(nanobind::handle{values[index]}...);
                return nanobind::none().release().ptr();
            } else if constexpr (std::is_base_of_v<nanobind::object, Result>) {
                return (handle.*member)(nanobind::handle{values[index]}...).release().ptr();
            } else {
                return nanobind::cast((handle.*member)(nanobind::handle{values[index]}...)).release().ptr();
            }
        }
    };

    nanobind::handle type_;
};

}  // namespace cueline::python
