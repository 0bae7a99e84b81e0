// thread_priority_windows.cpp: reads and sets a thread's priority, by its number.
#include "system/thread_priority.hpp"

#include <windows.h>

#include "system/nonblocking.hpp"

namespace cueline {

namespace {

/// A thread that another part of the process may end meanwhile.
class OpenThreadHandle {
  public:
    OpenThreadHandle(std::uintptr_t number, DWORD access) noexcept
        : handle_{OpenThread(access, FALSE, static_cast<DWORD>(number))} {}
    ~OpenThreadHandle() {
        if (handle_ != nullptr) CloseHandle(handle_);
    }
    OpenThreadHandle(const OpenThreadHandle&) = delete;
    OpenThreadHandle& operator=(const OpenThreadHandle&) = delete;

    [[nodiscard]] HANDLE get() const noexcept { return handle_; }

  private:
    HANDLE handle_;
};

/// Windows does not show what its multimedia scheduler grants. So this sees only what SetThreadPriority() set.
bool is_time_critical(std::uintptr_t number) noexcept {
    const OpenThreadHandle thread{number, THREAD_QUERY_LIMITED_INFORMATION};
    if (thread.get() == nullptr) return false;
    const int priority = GetThreadPriority(thread.get());
    return priority != THREAD_PRIORITY_ERROR_RETURN && priority >= THREAD_PRIORITY_TIME_CRITICAL;
}

}  // namespace

std::int64_t thread_number() noexcept {
    return GetCurrentThreadId();
}

bool thread_exists(std::int64_t number) noexcept {
    if (number == 0) return false;
    const OpenThreadHandle thread{static_cast<std::uintptr_t>(number), THREAD_QUERY_LIMITED_INFORMATION};
    DWORD code = 0;
    return thread.get() != nullptr && GetExitCodeThread(thread.get(), &code) != 0 && code == STILL_ACTIVE;
}

bool has_realtime_priority(std::int64_t number) noexcept {
    return number != 0 && is_time_critical(static_cast<std::uintptr_t>(number));
}

ThreadHandle ThreadHandle::current() noexcept CUELINE_NONBLOCKING {
    using ReadNumber = DWORD() noexcept CUELINE_NONBLOCKING;
    ThreadHandle thread;
    thread.handle_ = marked_nonblocking<ReadNumber>(&GetCurrentThreadId)();  // reads memory of the thread
    return thread;
}

bool ThreadHandle::has_realtime_priority() const noexcept {
    return is_time_critical(handle_);
}

bool ThreadHandle::request_realtime_priority() const noexcept {
    const OpenThreadHandle thread{handle_, THREAD_SET_INFORMATION};
    return thread.get() != nullptr && SetThreadPriority(thread.get(), THREAD_PRIORITY_TIME_CRITICAL) != 0;
}

}  // namespace cueline
