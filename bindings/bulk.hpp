// bulk.hpp: many messages at once: the memory of a Python array, as records of one message each.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <span>

#include <cueline/message.hpp>

namespace cueline::python {

/// The memory of an array, which keeps its place for as long as this lives. Another thread may change the values.
class Records {
  public:
    /// For reading. The records may have any distance. Raises ArgumentError if the array does not have one dimension of
    /// records of a message's size, BufferError for an object without memory.
    static Records read(nanobind::handle array) { return Records{array, PyBUF_STRIDES}; }

    /// For writing. Raises what read() raises, ArgumentError if the array is not contiguous and aligned, and
    /// BufferError if it is read-only.
    static Records write(nanobind::handle array) { return Records{array, PyBUF_STRIDES | PyBUF_WRITABLE}; }

    ~Records() { PyBuffer_Release(&view_); }
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(*view_.shape); }

    /// The record at `index`, in place.
    [[nodiscard]] const std::byte* record(std::size_t index) const {
        return static_cast<const std::byte*>(view_.buf) + static_cast<Py_ssize_t>(index) * distance();
    }
    /// Bytes from one record to the next; they may be negative.
    [[nodiscard]] Py_ssize_t distance() const { return *view_.strides; }

    /// All records, in place. Only after write().
    [[nodiscard]] std::span<Message> messages() const;

  private:
    Records(nanobind::handle array, int access);

    Py_buffer view_{};
};

}  // namespace cueline::python
