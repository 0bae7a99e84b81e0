// shared_library_linux.cpp: loads libraries by dlopen, and copies them through memory files.
#include "system/shared_library.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
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

namespace {

/// A copy of a library's file, in memory. The loader needs it only while it opens the copy.
class CopiedFile {
  public:
    explicit CopiedFile(const void* function);
    ~CopiedFile() { close(descriptor_); }
    CopiedFile(const CopiedFile&) = delete;
    CopiedFile& operator=(const CopiedFile&) = delete;

    [[nodiscard]] const char* path() const noexcept { return path_.c_str(); }

  private:
    int descriptor_;
    std::string path_;
};

CopiedFile::CopiedFile(const void* function) : descriptor_{memfd_create("cueline-copy", MFD_CLOEXEC)} {
    Dl_info about{};
    if (descriptor_ < 0 || dladdr(function, &about) == 0) {
        close(descriptor_);
        throw NoDeviceError{"the system refused memory for a copy of the library"};
    }
    // The loader takes equal paths for one library, and the system reuses descriptors. So each copy's path has one more
    // slash.
    static std::atomic<std::size_t> copies = 0;
    path_ = "/proc/self/fd" + std::string(++copies, '/') + std::to_string(descriptor_);
    std::ofstream{path_, std::ios::binary} << std::ifstream{about.dli_fname, std::ios::binary}.rdbuf();
}

}  // namespace

SharedLibrary SharedLibrary::copy_with(const void* function, const char* package) {
    const CopiedFile copy{function};
    return {copy.path(), package};
}

void* SharedLibrary::address(const char* name) const {
    if (void* const found = dlsym(handle_, name)) return found;
    throw NoDeviceError{"the library " + file_ + " has no function " + name +
                        ": it is too old; on Debian type: apt-get install " + package_};
}

}  // namespace cueline
