// fake_jack.hpp: a JACK server that a test controls, for what a real one does not do on demand.
#pragma once

#include <jack/jack.h>
#include <jack/midiport.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>
#include <cueline/ring.hpp>

#include "devices/jack/jack_library.hpp"

namespace cueline::test {

/// Use one at a time: JACK's functions have no object to tell two apart. All clients share its ports and callbacks.
class FakeJack {
  public:
    FakeJack();
    ~FakeJack();
    FakeJack(const FakeJack&) = delete;
    FakeJack& operator=(const FakeJack&) = delete;

    /// A device on it.
    [[nodiscard]] std::unique_ptr<Device> device(const DeviceRequest& request = {}) const;

    /// Runs one block of the active client, as JACK's audio thread does.
    static void play(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING;

    /// The samples of our port of this name.
    [[nodiscard]] std::vector<float>& samples(std::string_view port) const;

    /// A MIDI event: its frame in the block, and its bytes.
    struct Event {
        jack_nframes_t frame = 0;
        std::vector<jack_midi_data_t> bytes;
        bool operator==(const Event&) const = default;
    };

    /// The events of our port of this name: of an input, in the next block and in those after it; of an output, in the
    /// last block.
    [[nodiscard]] std::vector<Event>& events(std::string_view port) const;

    /// The first output port's samples.
    [[nodiscard]] const std::vector<float>& heard() const { return samples("cueline:out_1"); }

    /// Changes the rate, and calls the client, as JACK's notification thread does.
    void change_samplerate(jack_nframes_t rate);

    /// Another MIDI output comes, while clients run.
    void plug_midi(const std::string& name) {
        const std::scoped_lock lock{ports_mutex_};
        midi_outputs.push_back(name);
    }

    /// The connections so far, while clients run.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> connections_now() {
        const std::scoped_lock lock{ports_mutex_};
        return connections;
    }

    std::atomic<jack_nframes_t> samplerate = 48'000;
    jack_nframes_t blocksize = 64;
    std::vector<std::string> inputs{"system:playback_1", "system:playback_2"};
    std::vector<std::string> outputs{"system:capture_1", "system:capture_2"};
    std::vector<std::string> midi_inputs{"system:midi_playback_1", "system:midi_playback_2"};
    std::vector<std::string> midi_outputs{"system:midi_capture_1", "system:midi_capture_2"};
    std::uint32_t lost_events = 0;                  ///< that JACK lost in each block, at each port
    std::size_t room_for_events = ~std::size_t{0};  ///< at each port that we write
    std::atomic<jack_nframes_t> capture_latency = 0;
    std::atomic<jack_nframes_t> playback_latency = 0;
    std::vector<std::pair<std::string, std::string>> connections;
    std::function<void()> before_callbacks = [] {};   ///< runs when the client sets its first callback
    std::function<void()> before_connecting = [] {};  ///< runs at each call of jack_connect
    std::function<void()> before_looking = [] {};     ///< runs at each call of jack_port_connected
    int looks_until_connected = 0;                    ///< connections show after so many calls of jack_port_connected
    bool refuses = false;                             ///< the server takes no more client
    std::vector<std::string> servers;                 ///< those that clients were opened on

  private:
    friend struct FakeJackFunctions;
    struct Port {
        std::string name;
        std::vector<float> samples;
        std::vector<Event> events;
        bool midi = false;
    };
    [[nodiscard]] Port& port(std::string_view name) const;

    std::vector<std::unique_ptr<Port>> ports_;
    JackLibrary library_{};
    std::mutex changing_;
    std::mutex ports_mutex_;
    JackSampleRateCallback samplerate_callback_ = nullptr;
    void* samplerate_argument_ = nullptr;
};

}  // namespace cueline::test
