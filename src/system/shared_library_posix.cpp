// shared_library_posix.cpp: loads libraries by dlopen().
#include "system/shared_library.hpp"

#include <dlfcn.h>

namespace cueline {

namespace {

/// Whether glibc or musl says that there is no such file. If another library is missing that this one needs, they name
/// that one.
bool says_missing(const std::string& why, const std::string& file) {
    return why.starts_with(file + ": cannot open shared object file") ||
           why.starts_with("Error loading shared library " + file + ": No such file");
}

}  // namespace

SharedLibrary::Opened SharedLibrary::open(const std::string& file) {
    Opened opened{.handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)};
    if (opened.handle != nullptr) return opened;
    const char* const reported = dlerror();  // NOLINT(concurrency-mt-unsafe): each thread has one
    opened.why = reported == nullptr ? "no reason given" : reported;
    opened.missing = says_missing(opened.why, file);
    return opened;
}

void* SharedLibrary::address_in(void* handle, const char* name) noexcept {
    return dlsym(handle, name);
}

}  // namespace cueline
