// jack_device.hpp: a client of a JACK server, or of PipeWire, whose thread runs the blocks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

#include "devices/block_watch.hpp"
#include "devices/callback_load.hpp"
#include "devices/gate.hpp"
#include "devices/jack/jack_client.hpp"
#include "devices/jack/jack_library.hpp"
#include "devices/jack/jack_midi.hpp"
#include "system/locked_memory.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// While it is started, it has a client with a port for each channel: in_1, in_2, and so on, and out_1, out_2; and
/// its ports for MIDI: see JackMidi. The server sets the sample rate and the block size. If the server changes the
/// block size, the sound goes on. If it changes the sample rate, a helper thread prepares the callback for it; until
/// then blocks are silent, and count as missed. If the server goes away, or its blocks stop coming, the helper calls
/// BlockCallback::lost() and closes the client.
class alignas(page_bytes) JackDevice final : public Device {
  public:
    /// Reads the server's format. Throws what JackClient's constructor does, DeviceError if the server's rate or block
    /// size differs from the request, ArgumentError for a bad regular expression.
    JackDevice(const JackLibrary& jack, const DeviceRequest& request);
    ~JackDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return "jack"; }
    [[nodiscard]] Format format() const noexcept override;
    [[nodiscard]] DeviceLatency latency() const noexcept override;
    [[nodiscard]] MidiPorts midi_ports() const noexcept override { return midi_.ports(); }
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] std::vector<std::string> midi_names(MidiWay way) override;
    void connect_midi(MidiWay way, const std::string& pattern) override;
    [[nodiscard]] bool is_heard() const noexcept override { return true; }
    [[nodiscard]] DeviceStats stats() const noexcept override;

  private:
    // Audio thread.
    void run_block(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING;

    // Control threads.
    void take_format(BlockCallback& callback);
    void set_callbacks();
    std::size_t connect_ports(JackPortFlags direction);
    void await_connections(std::size_t count) const;
    void note_latency() noexcept;
    void close_client() noexcept;
    void let_threads_end() const noexcept;
    void require_requested(const Format& offered) const;
    [[nodiscard]] std::string client_name() const;
    [[nodiscard]] Format format_of(const JackClient& client) const;

    // Helper thread.
    void watch() noexcept;
    void follow_samplerate();
    void lose(const std::string& why) noexcept;
    void connect_new_midi() noexcept;

    const JackLibrary& jack_;
    DeviceRequest request_;
    LockedMemory locked_{memory_of(*this)};  // all of this object

    const std::uint32_t input_count_;
    const std::uint32_t output_count_;
    std::array<jack_port_t*, max_channels> input_ports_{};
    std::array<jack_port_t*, max_channels> output_ports_{};
    std::array<const float*, max_channels> inputs_{};  // of the present block
    std::array<float*, max_channels> outputs_{};
    JackMidi midi_;
    BlockCallback* callback_ = nullptr;
    Gate gate_;                          // while it is shut, blocks are silent
    std::atomic<bool> playing_ = false;  // from the first block of a start() on; before it, no block counts as missed
    std::atomic<std::uint32_t> samplerate_;  // the callback is prepared for it
    std::atomic<std::uint32_t> servers_samplerate_ = 0;
    std::atomic<std::uint32_t> blocksize_;  // of the latest block; before the first one, what the server reports
    Counter xruns_;                         // JACK's notification thread writes it
    Counter missed_blocks_;                 // the audio thread writes it
    std::atomic<std::uint32_t> input_latency_ = 0;
    std::atomic<std::uint32_t> output_latency_ = 0;
    CallbackLoad load_;
    BlockWatch watch_;

    std::unique_ptr<JackClient> client_;                  // while started and not lost
    std::mutex starting_;                                 // the helper waits for it while start() runs
    std::array<std::atomic<std::int64_t>, 4> threads_{};  // the numbers of JACK's threads that run our callbacks
    std::atomic<std::size_t> threads_known_ = 0;
    static constexpr std::uint32_t midi_looks_apart = 10;  // wake-ups of the helper
    std::uint32_t looks_ = 0;                              // the helper's
    OwnThread helper_;
    std::counting_semaphore<> for_helper_{0};
    std::atomic<bool> server_gone_ = false;
    std::atomic<bool> stopping_ = false;
};

}  // namespace cueline
