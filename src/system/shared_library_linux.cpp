// shared_library_linux.cpp: copies libraries through memory files.
#include "system/shared_library.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <fstream>
#include <ios>

namespace cueline {

namespace {

/// A copy of a library's file, in memory. The loader needs it only while it opens the copy.
class CopiedFile {
  public:
    explicit CopiedFile(const void* function);
    ~CopiedFile() { close(descriptor_); }
    CopiedFile(const CopiedFile&) = delete;
    CopiedFile& operator=(const CopiedFile&) = delete;

    /// Empty if the system refused.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    int descriptor_;
    std::string path_;
};

CopiedFile::CopiedFile(const void* function) : descriptor_{memfd_create("cueline-copy", MFD_CLOEXEC)} {
    Dl_info about{};
    if (descriptor_ < 0 || dladdr(function, &about) == 0) return;
    // The loader takes equal paths for one library, and the system reuses descriptors. So each copy's path has one more
    // slash.
    static std::atomic<std::size_t> copies = 0;
    path_ = "/proc/self/fd" + std::string(++copies, '/') + std::to_string(descriptor_);
    std::ofstream{path_, std::ios::binary} << std::ifstream{about.dli_fname, std::ios::binary}.rdbuf();
}

}  // namespace

SharedLibrary::Opened SharedLibrary::open_copy(const void* function) {
    const CopiedFile copy{function};
    if (copy.path().empty()) return {.why = "the system refused memory for it"};
    return open(copy.path());
}

}  // namespace cueline
