// shared_library_macos.cpp: loads libraries by dlopen, and copies them through temporary files.
#include "system/shared_library.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>

#include <cueline/error.hpp>

namespace cueline {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_{file}, package_{package}, handle_{dlopen(file, RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ != nullptr) return;
    const char* const reported = dlerror();
    throw NoDeviceError{"the library " + file_ + " cannot be loaded (" +
                        (reported == nullptr ? "no reason given" : reported) + "); with Homebrew type: brew install " +
                        package_};
}

SharedLibrary SharedLibrary::copy_with(const void* function, const char* package) {
    Dl_info about{};
    std::string path = (std::filesystem::temp_directory_path() / "cueline-copy-XXXXXX").string();
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0 || dladdr(function, &about) == 0) {
        throw NoDeviceError{"the system refused a file for a copy of the library"};
    }
    close(descriptor);
    std::ofstream{path, std::ios::binary} << std::ifstream{about.dli_fname, std::ios::binary}.rdbuf();
    const auto removed = [&path] {  // the loader needs the file only while it opens the copy
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    };
    try {
        SharedLibrary copy{path.c_str(), package};
        removed();
        return copy;
    } catch (...) {
        removed();
        throw;
    }
}

void* SharedLibrary::address(const char* name) const {
    if (void* const found = dlsym(handle_, name)) return found;
    throw NoDeviceError{"the library " + file_ + " has no function " + name +
                        ": it is too old; with Homebrew type: brew upgrade " + package_};
}

}  // namespace cueline
