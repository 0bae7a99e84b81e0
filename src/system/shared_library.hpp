// shared_library.hpp: a library of the system's that may be there or not, looked for as the program runs.
#pragma once

#include <string>

namespace cueline {

/// Opens a library for good: what it started lives as long as the process. Thread: control, any.
class SharedLibrary {
  public:
    /// `file` as the linker knows it ("libjack.so.0"); `package` is Debian's that brings it.
    /// Throws NoDeviceError, with what to install, when it is not there.
    SharedLibrary(const char* file, const char* package);

    /// Sets `function` to the library's function of this name. Throws NoDeviceError when it has none.
    /// The type is the caller's word: one that says CUELINE_NONBLOCKING takes the library's documentation on trust.
    template <class Function>
    void find(Function*& function, const char* name) const {
        function = reinterpret_cast<Function*>(address(name));
    }

  private:
    [[nodiscard]] void* address(const char* name) const;

    std::string file_;
    std::string package_;
    void* handle_;
};

}  // namespace cueline
