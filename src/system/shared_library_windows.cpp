// shared_library_windows.cpp: loads libraries by LoadLibrary(), and copies them through temporary files.
#include "system/shared_library.hpp"

#include <windows.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <string>

namespace cueline {

namespace {

/// A DLL finds the libraries beside it, if it is opened by its path.
HMODULE load(const std::filesystem::path& file) noexcept {
    return LoadLibraryExW(file.c_str(), nullptr, file.is_absolute() ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
}

}  // namespace

SharedLibrary::Opened SharedLibrary::open(const std::string& file) {
    if (HMODULE const handle = load(std::u8string{file.begin(), file.end()})) return {.handle = handle};
    const DWORD error = GetLastError();
    return {.missing = error == ERROR_MOD_NOT_FOUND,  // it, or a library that it needs
            .why = "Windows' error " + std::to_string(error)};
}

SharedLibrary::Opened SharedLibrary::open_copy(const void* function) {
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
    if (!found || CopyFileW(original.data(), copy.c_str(), TRUE) == 0) {
        return {.why = "Windows refused a file for it"};
    }
    HMODULE const handle = load(copy);
    if (handle != nullptr) return {.handle = handle};
    return {.why = "Windows' error " + std::to_string(GetLastError())};
}

void* SharedLibrary::address_in(void* handle, const char* name) noexcept {
    return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle), name));
}

}  // namespace cueline
