// shared_library.cpp: dlopen and dlsym, with a way out when they find nothing.
#include "system/shared_library.hpp"

#include <dlfcn.h>

#include <cueline/engine/device_request.hpp>

namespace cueline {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_{file}, package_{package}, handle_{dlopen(file, RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ != nullptr) return;
    const char* const why = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc has one for each thread
    throw NoDeviceError{"the library " + file_ + " is not here (" + (why == nullptr ? "no reason given" : why) +
                        "); on Debian type: apt-get install " + package_};
}

void* SharedLibrary::address(const char* name) const {
    if (void* const found = dlsym(handle_, name)) return found;
    throw NoDeviceError{"the library " + file_ + " has no function " + name +
                        ": it is too old; on Debian type: apt-get install " + package_};
}

}  // namespace cueline
