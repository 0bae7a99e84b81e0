// rtsan_printf.cpp: makes RealtimeSanitizer report printf and the like. clang 22's runtime does not watch them. It only
// sees a call that they make outside the C library, such as the malloc of the first buffer.
#include <cstdarg>
#include <cstdio>

extern "C" {

// A function of the sanitizer: reports if the calling thread is inside a nonblocking function.
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
