// shared_library_test.cpp: libraries that are missing, that cannot be loaded, and that have several names.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <cueline/error.hpp>

#include "refusal.hpp"
#include "system/audio_libraries.hpp"
#include "system/shared_library.hpp"

namespace cueline::test {
namespace {

constexpr const char* missing = "cueline-nothing";

LibraryName named(std::vector<std::string> files) {
    return {.files = std::move(files), .install = "type: install", .reinstall = "type: reinstall"};
}

std::string refusal_of(const std::vector<std::string>& files) {
    return refusal<NoDeviceError>([&] { const SharedLibrary library{named(files)}; });
}

/// A file that is no library, in a folder with a name that is not ASCII. Without .dll, Windows would add that.
class NoLibrary {
  public:
    NoLibrary() {
        std::filesystem::create_directory(folder_);
        std::ofstream{folder_ / "text.dll"} << "no library\n";
    }
    ~NoLibrary() { std::filesystem::remove_all(folder_); }
    NoLibrary(const NoLibrary&) = delete;
    NoLibrary& operator=(const NoLibrary&) = delete;

    [[nodiscard]] std::string path() const {
        const std::u8string text = (folder_ / "text.dll").u8string();
        return {text.begin(), text.end()};
    }

  private:
    std::filesystem::path folder_ = std::filesystem::temp_directory_path() / u8"cueline-Größe";
};

class Library : public testing::Test {
  protected:
    void SetUp() override {
        if (refusal_of({missing}).find("not supported") != std::string::npos)
            GTEST_SKIP() << "a static program loads no library";
    }
};

TEST_F(Library, that_is_missing_is_named_with_how_to_install_it) {
    const std::string why = refusal_of({missing});
    EXPECT_TRUE(why.starts_with("the library cueline-nothing is missing (")) << why;
    EXPECT_TRUE(why.ends_with("); type: install")) << why;
}

TEST_F(Library, that_cannot_be_loaded_is_not_called_missing) {
    const NoLibrary text;
    const std::string why = refusal_of({text.path()});
    EXPECT_TRUE(why.starts_with("the library " + text.path() + " cannot be loaded (")) << why;
    EXPECT_TRUE(why.ends_with("); type: reinstall")) << why;
}

TEST_F(Library, with_no_file_is_reported_by_its_usual_name) {
    EXPECT_TRUE(refusal_of({missing, "cueline-nothing-else"}).starts_with("the library cueline-nothing is missing ("));
}

TEST_F(Library, that_is_here_is_reported_before_names_that_are_not) {
    const NoLibrary text;
    const std::string why = refusal_of({missing, text.path(), "cueline-nothing-else"});
    EXPECT_TRUE(why.starts_with("the library " + text.path() + " cannot be loaded (")) << why;
}

TEST_F(Library, without_a_function_is_called_too_old) {
    const SharedLibrary library{named({missing, CUELINE_SOME_LIBRARY})};
    void (*function)() = nullptr;
    EXPECT_EQ(refusal<NoDeviceError>([&] { library.find(function, "cueline_nothing"); }),
              "the library " CUELINE_SOME_LIBRARY " has no function cueline_nothing: it is too old; type: reinstall");
}

TEST_F(Library, is_the_first_of_its_names_that_is_here) {
    const SharedLibrary library{named({missing, CUELINE_SOME_LIBRARY, "cueline-nothing-else"})};
    void (*function)() = nullptr;
    library.find(function, CUELINE_SOME_FUNCTION);
    EXPECT_NE(function, nullptr);
}

TEST(PortAudioLibraryName, ends_with_the_file_that_somebody_else_has_found) {
    const std::vector<std::string> usual = portaudio_library_name().files;
    look_for_portaudio_at("/packages/libportaudio.dylib");
    std::vector<std::string> files = portaudio_library_name().files;
    EXPECT_EQ(files.back(), "/packages/libportaudio.dylib");
    look_for_portaudio_at("");
    files.pop_back();
    EXPECT_EQ(files, usual);
    EXPECT_EQ(portaudio_library_name().files, usual);
}

}  // namespace
}  // namespace cueline::test
