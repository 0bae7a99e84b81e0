// audio_libraries.cpp: PortAudio's usual names, and a file that somebody else knows of.
#include "system/audio_libraries.hpp"

#include <mutex>
#include <utility>

namespace cueline {

namespace {

struct OtherFile {
    std::mutex mutex;
    std::string path;
};

OtherFile& other_portaudio_file() {
    static auto& file = *new OtherFile;  // never freed: threads may outlive static objects
    return file;
}

}  // namespace

void look_for_portaudio_at(std::string file) {
    OtherFile& other = other_portaudio_file();
    const std::scoped_lock lock{other.mutex};
    other.path = std::move(file);
}

LibraryName portaudio_library_name() {
    LibraryName name = usual_portaudio_library_name();
    OtherFile& other = other_portaudio_file();
    const std::scoped_lock lock{other.mutex};
    if (!other.path.empty()) name.files.push_back(other.path);
    return name;
}

}  // namespace cueline
