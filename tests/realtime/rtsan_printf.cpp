// rtsan_printf.cpp: tells RealtimeSanitizer of printf and its like, which clang 22's runtime does not watch by itself:
// it sees what a call of them comes down to only when that leaves the C library (the first buffer's malloc, say).
#include <cstdarg>
#include <cstdio>

extern "C" {

// The sanitizer's own: reports if the calling thread is inside a nonblocking function.
void __rtsan_notify_intercepted_call(const char* function);

int printf(const char* format, ...) {
    __rtsan_notify_intercepted_call("printf");
    std::va_list arguments;
    va_start(arguments, format);
    const int written = std::vfprintf(stdout, format, arguments);
    va_end(arguments);
    return written;
}

int fprintf(std::FILE* file, const char* format, ...) {
    __rtsan_notify_intercepted_call("fprintf");
    std::va_list arguments;
    va_start(arguments, format);
    const int written = std::vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}

int vprintf(const char* format, std::va_list arguments) {
    __rtsan_notify_intercepted_call("vprintf");
    return std::vfprintf(stdout, format, arguments);
}

}  // extern "C"
