// shared_library.hpp: loads a library while the program runs.
#pragma once

#include <string>

namespace cueline {

/// Opens a library for good: the threads that it starts may live as long as the process. [control threads]
class SharedLibrary {
  public:
    /// `file` is the library's name for the loader ("libjack.so.0"), `package` the package that contains it: Debian's
    /// on Linux, Homebrew's on macOS, and on Windows what the user can install. See audio_libraries.hpp.
    /// Throws NoDeviceError, with the package to install, if the library is missing.
    SharedLibrary(const char* file, const char* package);

    /// Opens a copy of the library that contains `function`. The copy has static memory of its own.
    /// Throws NoDeviceError if the library cannot be copied.
    template <class Function>
    static SharedLibrary copy_of(Function* function, const char* package) {
        return copy_with(reinterpret_cast<const void*>(function), package);
    }

    /// Sets `function` to the library's function of this name. Throws NoDeviceError if the library has none.
    /// Nothing checks the type. If it has CUELINE_NONBLOCKING, the library's documentation must say so.
    template <class Function>
    void find(Function*& function, const char* name) const {
        function = reinterpret_cast<Function*>(address(name));
    }

  private:
    SharedLibrary() = default;
    static SharedLibrary copy_with(const void* function, const char* package);
    [[nodiscard]] void* address(const char* name) const;

    std::string file_;
    std::string package_;
    void* handle_ = nullptr;
};

}  // namespace cueline
