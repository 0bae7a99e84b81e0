// bulk.hpp: messages by the array: Python's memory, one record of 56 bytes beside the other.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <span>

#include <cueline/message.hpp>

namespace cueline::python {

/// The memory of an array for as long as this lives: what another thread does to the array changes what stands there,
/// never where it lies. Thread: control, with the GIL.
class Records {
  public:
    /// To be read, wherever its records lie. Raises ArgumentError for what has not one dimension, or records of
    /// another size; BufferError for what is no memory.
    static Records read(nanobind::handle array) { return Records{array, PyBUF_STRIDES}; }

    /// To be written, all of it as messages. Likewise, and for records that are not one behind the other.
    static Records write(nanobind::handle array) { return Records{array, PyBUF_STRIDES | PyBUF_WRITABLE}; }

    ~Records() { PyBuffer_Release(&view_); }
    Records(const Records&) = delete;
    Records& operator=(const Records&) = delete;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(*view_.shape); }

    /// The record at `place`, as it stands there.
    [[nodiscard]] Message message(std::size_t place) const;

    /// The whole of them. Of what was opened by write() only.
    [[nodiscard]] std::span<Message> messages() const;

  private:
    Records(nanobind::handle array, int access);
    [[nodiscard]] const std::byte* record(std::size_t place) const;

    Py_buffer view_{};
};

}  // namespace cueline::python
