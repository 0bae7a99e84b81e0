// quiet_stderr_linux.cpp: replaces C's stderr with a stream that drops what quiet threads write.
#include "system/quiet_stderr.hpp"

#include <sys/types.h>
#include <cstddef>
#include <cstdio>
#include <mutex>

namespace cueline {

// glibc promises that the variable can be set. Other C libraries declare it constant.
#ifdef __GLIBC__

namespace {

thread_local int quiet_here = 0;

std::mutex swapping;
int swaps = 0;
FILE* before = nullptr;  // set before anything is written through the filter

ssize_t write_unless_quiet(void*, const char* text, std::size_t bytes) {
    if (quiet_here > 0) return static_cast<ssize_t>(bytes);
    const std::size_t written = std::fwrite(text, 1, bytes, before);
    return static_cast<ssize_t>(written);  // 0: it failed
}

FILE* open_filter() {
    cookie_io_functions_t functions{};
    functions.write = &write_unless_quiet;
    FILE* const filter = fopencookie(nullptr, "w", functions);
    if (filter != nullptr) std::setvbuf(filter, nullptr, _IONBF, 0);  // as stderr is
    return filter;
}

}  // namespace

QuietStderr::QuietStderr() noexcept {
    ++quiet_here;
    const std::scoped_lock lock{swapping};
    if (swaps++ > 0) return;
    static FILE* const filter = open_filter();  // never closed: a thread may be writing to it
    before = stderr;
    if (filter != nullptr) stderr = filter;
}

QuietStderr::~QuietStderr() {
    const std::scoped_lock lock{swapping};
    if (--swaps == 0) stderr = before;
    --quiet_here;
}

#else

QuietStderr::QuietStderr() noexcept = default;
QuietStderr::~QuietStderr() = default;

#endif

}  // namespace cueline
