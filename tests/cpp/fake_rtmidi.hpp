// fake_rtmidi.hpp: RtMidi's functions, with devices that the test plugs in and plays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

#include "devices/midi/rtmidi_library.hpp"

namespace cueline::test {

/// One at a time. Its devices come and go when the test says so.
class FakeRtMidi {
  public:
    FakeRtMidi() { the_one = this; }
    ~FakeRtMidi() { the_one = nullptr; }
    FakeRtMidi(const FakeRtMidi&) = delete;
    FakeRtMidi& operator=(const FakeRtMidi&) = delete;

    void plug(std::vector<std::string> names) {
        const std::scoped_lock lock{mutex_};
        names_ = std::move(names);
    }
    void refuse(std::string name) {
        const std::scoped_lock lock{mutex_};
        refused_ = std::move(name);
    }
    /// ALSA and JACK fail, as they do on a machine without them; or only ALSA.
    void have_no_system() { has_alsa_ = has_jack_ = false; }
    void have_no_alsa() { has_alsa_ = false; }

    /// The device of this name sends bytes to who has it open. Returns whether anybody has.
    bool play(const std::string& name, const std::vector<std::uint8_t>& bytes) {
        const std::scoped_lock lock{mutex_};
        bool played = false;
        for (const Port* const port : ports_) {
            if (port->name != name || port->callback == nullptr) continue;
            port->callback(0, bytes.data(), bytes.size(), port->user);
            played = true;
        }
        return played;
    }

    [[nodiscard]] std::size_t open(const std::string& name) {
        const std::scoped_lock lock{mutex_};
        return static_cast<std::size_t>(std::ranges::count(ports_, name, [](const Port* port) { return port->name; }));
    }
    [[nodiscard]] std::size_t ports() {
        const std::scoped_lock lock{mutex_};
        return ports_.size();
    }

    static const RtMidiLibrary& library() {
        static const RtMidiLibrary functions{
            .get_compiled_api = [](unsigned* apis, unsigned) -> int {
                apis[0] = 2;  // ALSA
                apis[1] = rtmidi_jack;
                return 2;
            },
            .in_create = [](unsigned api, const char*, unsigned) -> RtMidiHandle* { return the_one->create(api); },
            .in_free = [](RtMidiHandle* port) { the_one->free(static_cast<Port*>(port)); },
            .in_set_callback =
                [](RtMidiHandle* port, RtMidiCallback callback, void* user) {
                    static_cast<Port*>(port)->callback = callback;
                    static_cast<Port*>(port)->user = user;
                },
            .in_ignore_types = [](RtMidiHandle*, bool, bool, bool) {},
            .get_port_count = [](RtMidiHandle*) { return static_cast<unsigned>(the_one->names_now().size()); },
            .get_port_name = [](RtMidiHandle*, unsigned number, char* name, int* size) -> int {
                const std::string found = the_one->names_now().at(number);
                if (name == nullptr) {
                    *size = static_cast<int>(found.size()) + 1;
                    return 0;
                }
                return std::snprintf(name, static_cast<std::size_t>(*size), "%s", found.c_str());
            },
            .open_port =
                [](RtMidiHandle* port, unsigned number, const char*) {
                    const std::string name = the_one->names_now().at(number);
                    const std::scoped_lock lock{the_one->mutex_};
                    port->ok = name != the_one->refused_;
                    if (port->ok) static_cast<Port*>(port)->name = name;
                },
        };
        return functions;
    }

  private:
    struct Port : RtMidiHandle {
        std::string name;
        RtMidiCallback callback = nullptr;
        void* user = nullptr;
    };

    RtMidiHandle* create(unsigned api) {
        auto* const port = new Port{};
        port->ok = api == rtmidi_jack ? has_jack_ : has_alsa_;
        const std::scoped_lock lock{mutex_};
        ports_.push_back(port);
        return port;
    }
    void free(Port* port) {
        const std::scoped_lock lock{mutex_};
        std::erase(ports_, port);
        delete port;
    }
    std::vector<std::string> names_now() {
        const std::scoped_lock lock{mutex_};
        return names_;
    }

    inline static FakeRtMidi* the_one = nullptr;
    std::mutex mutex_;
    std::vector<std::string> names_;
    std::vector<Port*> ports_;
    std::string refused_;
    bool has_alsa_ = true;
    bool has_jack_ = true;
};

}  // namespace cueline::test
