// shared_library.cpp: tries a library's names, and says what a user can do if none works.
#include "system/shared_library.hpp"

#include <optional>
#include <utility>

#include <cueline/error.hpp>

namespace cueline {

SharedLibrary::SharedLibrary(LibraryName name, std::string file, void* handle)
    : name_{std::move(name)}, file_{std::move(file)}, handle_{handle} {}

SharedLibrary::SharedLibrary(LibraryName name) : name_{std::move(name)} {
    std::string why;
    bool missing = true;
    for (const std::string& file : name_.files) {
        const Opened opened = open(file);
        if (opened.handle != nullptr) {
            file_ = file;
            handle_ = opened.handle;
            return;
        }
        // The first name is the usual one. But a library that is here says more than one that is not: a frozen
        // application brings a C++ library that may be older than it needs.
        if (file_.empty() || (missing && !opened.missing)) {
            file_ = file;
            why = opened.why;
            missing = opened.missing;
        }
    }
    throw NoDeviceError{"the library " + file_ + (missing ? " is missing (" : " cannot be loaded (") + why + "); " +
                        (missing ? name_.install : name_.reinstall)};
}

SharedLibrary SharedLibrary::copy_with(const void* function, LibraryName name) {
    const Opened copy = open_copy(function);
    if (copy.handle == nullptr) throw NoDeviceError{"a copy of the library cannot be loaded (" + copy.why + ")"};
    return {std::move(name), "copy", copy.handle};
}

void* SharedLibrary::address(const char* name) const {
    if (void* const found = address_in(handle_, name)) return found;
    throw NoDeviceError{"the library " + file_ + " has no function " + name + ": it is too old; " + name_.reinstall};
}

}  // namespace cueline
