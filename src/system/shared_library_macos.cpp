// shared_library_macos.cpp: copies libraries through temporary files.
#include "system/shared_library.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>

namespace cueline {

SharedLibrary::Opened SharedLibrary::open_copy(const void* function) {
    Dl_info about{};
    std::string path = (std::filesystem::temp_directory_path() / "cueline-copy-XXXXXX").string();
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0 || dladdr(function, &about) == 0) return {.why = "the system refused a file for it"};
    close(descriptor);
    std::ofstream{path, std::ios::binary} << std::ifstream{about.dli_fname, std::ios::binary}.rdbuf();
    Opened opened = open(path);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);  // the loader needs it only while it opens the copy
    return opened;
}

}  // namespace cueline
