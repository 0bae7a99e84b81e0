// shared_library_windows.cpp: loads libraries by LoadLibrary, and copies them through temporary files.
#include "system/shared_library.hpp"

#include <windows.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include <cueline/error.hpp>

namespace cueline {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_{file}, package_{package}, handle_{LoadLibraryA(file)} {
    if (handle_ != nullptr) return;
    const DWORD error = GetLastError();
    const bool missing = error == ERROR_MOD_NOT_FOUND;  // it, or a library that it needs
    throw NoDeviceError{"the library " + file_ + (missing ? " is missing (" : " is here, but cannot be loaded (") +
                        "Windows' error " + std::to_string(error) + "); install " + package_};
}

SharedLibrary SharedLibrary::copy_with(const void* function, const char* package) {
    // Windows takes equal file names for one library. A copy stays until the process ends: its file is in use.
    static std::atomic<unsigned> copies = 0;
    std::array<wchar_t, 1024> original{};
    std::array<wchar_t, MAX_PATH + 1> folder{};
    HMODULE library = nullptr;
    const DWORD how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    const bool found = GetModuleHandleExW(how, static_cast<LPCWSTR>(function), &library) != 0 &&
                       GetModuleFileNameW(library, original.data(), static_cast<DWORD>(original.size())) != 0 &&
                       GetTempPathW(static_cast<DWORD>(folder.size()), folder.data()) != 0;
    const std::wstring copy = std::wstring{folder.data()} + L"cueline-copy-" + std::to_wstring(GetCurrentProcessId()) +
                              L"-" + std::to_wstring(++copies) + L".dll";
    SharedLibrary result;
    result.package_ = package;
    result.file_ = "cueline-copy.dll";
    if (found && CopyFileW(original.data(), copy.c_str(), TRUE) != 0) result.handle_ = LoadLibraryW(copy.c_str());
    if (result.handle_ == nullptr) throw NoDeviceError{"the system refused a file for a copy of the library"};
    return result;
}

void* SharedLibrary::address(const char* name) const {
    if (auto* const found = GetProcAddress(static_cast<HMODULE>(handle_), name)) {
        return reinterpret_cast<void*>(found);
    }
    throw NoDeviceError{"the library " + file_ + " has no function " + name + ": it is too old; install " + package_};
}

}  // namespace cueline
