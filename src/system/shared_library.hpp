// shared_library.hpp: loads a library while the program runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cueline {

/// What SharedLibrary needs to open a library, and what it says if it cannot.
struct LibraryName {
    std::vector<std::string> files;  ///< for the loader, as UTF-8: names such as "libjack.so.0", or paths
    std::string install;             ///< how the user gets a library that is missing
    std::string reinstall;           ///< how the user mends one that cannot be loaded, or is too old
};

/// Opens a library for good: the threads that it starts may live as long as the process. [control threads]
class SharedLibrary {
  public:
    /// Opens the first of the files that can be opened. Throws NoDeviceError, with what the user can do, if none can.
    explicit SharedLibrary(LibraryName name);

    /// Opens a copy of the library that contains `function`. The copy has static memory of its own.
    /// Throws NoDeviceError if the library cannot be copied.
    template <class Function>
    static SharedLibrary copy_of(Function* function, LibraryName name) {
        return copy_with(reinterpret_cast<const void*>(function), std::move(name));
    }

    /// Sets `function` to the library's function of this name. Throws NoDeviceError if the library has none.
    /// Nothing checks the type. If it has CUELINE_NONBLOCKING, the library's documentation must say so.
    template <class Function>
    void find(Function*& function, const char* name) const {
        function = reinterpret_cast<Function*>(address(name));
    }

  private:
    /// What the system's loader answers.
    struct Opened {
        void* handle = nullptr;
        bool missing = false;  ///< there is no such file
        std::string why = {};  ///< it is not open
    };

    SharedLibrary(LibraryName name, std::string file, void* handle);
    static SharedLibrary copy_with(const void* function, LibraryName name);
    [[nodiscard]] void* address(const char* name) const;

    // Each system's.
    static Opened open(const std::string& file);
    static Opened open_copy(const void* function);
    static void* address_in(void* handle, const char* name) noexcept;

    LibraryName name_;
    std::string file_;
    void* handle_ = nullptr;
};

}  // namespace cueline
