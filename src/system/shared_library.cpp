// shared_library.cpp: loads libraries by dlopen, and copies them through memory files.
#include "system/shared_library.hpp"

#include <dlfcn.h>
#include <sys/mman.h>

#include <fstream>
#include <ios>

#include <cueline/error.hpp>

namespace cueline {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_{file}, package_{package}, handle_{dlopen(file, RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ != nullptr) return;
    const char* const reported = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc has one for each thread
    const std::string why = reported == nullptr ? "no reason given" : reported;
    // A library that is here can fail too: a frozen application brings a C++ library that may be older than it needs.
    const bool missing = why.starts_with(file_ + ": cannot open shared object file");
    throw NoDeviceError{"the library " + file_ + (missing ? " is missing (" : " is here, but cannot be loaded (") +
                        why + "); on Debian type: apt-get install " + (missing ? "" : "--reinstall ") + package_};
}

/// Copies the library's file into memory. The descriptor stays open: if a later copy got the same path, the loader
/// would take it for this one.
std::string SharedLibrary::copied_file(const void* function) {
    Dl_info about{};
    if (dladdr(function, &about) == 0) throw NoDeviceError{"the loader does not report the library's file"};
    const int descriptor = memfd_create("cueline-copy", MFD_CLOEXEC);
    if (descriptor < 0) throw NoDeviceError{"the system refused memory for a copy of " + std::string{about.dli_fname}};
    std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    std::ofstream{path, std::ios::binary} << std::ifstream{about.dli_fname, std::ios::binary}.rdbuf();
    return path;
}

void* SharedLibrary::address(const char* name) const {
    if (void* const found = dlsym(handle_, name)) return found;
    throw NoDeviceError{"the library " + file_ + " has no function " + name +
                        ": it is too old; on Debian type: apt-get install " + package_};
}

}  // namespace cueline
