// jack_device.hpp: a client of a JACK server, and so of PipeWire: its thread carries the blocks.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>
#include <cueline/engine/range.hpp>

#include "devices/callback_load.hpp"
#include "devices/gate.hpp"
#include "devices/jack/jack_client.hpp"
#include "devices/jack/jack_library.hpp"
#include "system/locked_memory.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// Has a client while it is started, with an output port for each channel: out_1, out_2, and so on. The server sets the
/// sample rate and the block size. When the server changes the block size, a helper thread prepares the callback for
/// the new one; until it has, blocks are silent, and count as missed. When the server goes away, the helper lets go of
/// the client and says so.
class alignas(page_bytes) JackDevice final : public Device {
  public:
    /// Asks the server for its format. Thread: control. Throws NoDeviceError where no server runs, DeviceError when it
    /// runs at another rate or block size than was asked for.
    JackDevice(const JackLibrary& jack, const DeviceRequest& request);
    ~JackDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return "jack"; }
    [[nodiscard]] Format format() const noexcept override;
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] DeviceStats stats() const noexcept override;

  private:
    // The audio thread's.
    void carry_block(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING;

    // The control side's.
    void take_format(BlockCallback& callback);
    void set_callbacks();
    void connect_ports();
    void close_client() noexcept;
    void require_what_was_asked(const Format& offered) const;
    [[nodiscard]] std::string client_name() const;
    [[nodiscard]] Format format_of(const JackClient& client) const;

    // The helper's.
    void watch() noexcept;
    void follow_block_size();
    void lose(const std::string& why) noexcept;  // behind the shut gate

    const JackLibrary& jack_;
    DeviceRequest request_;
    LockedMemory locked_{memory_of(*this)};  // all of this object

    std::array<jack_port_t*, channels_range.most> ports_{};
    std::array<float*, channels_range.most> channels_{};
    BlockCallback* callback_ = nullptr;
    std::uint64_t period_ns_ = 0;
    Gate gate_;  // shut, a block is silent
    std::atomic<std::uint32_t> samplerate_;
    std::atomic<std::uint32_t> blocksize_;  // as the callback was prepared for
    Counter xruns_;                         // the notification thread's to write
    Counter missed_blocks_;                 // the audio thread's
    CallbackLoad load_;

    std::unique_ptr<JackClient> client_;           // while started, and the server is there
    std::mutex closing_;                           // start() and the helper: neither is a real-time thread
    std::array<std::atomic<pid_t>, 4> threads_{};  // JACK's, which run our callbacks
    std::atomic<std::size_t> threads_known_ = 0;
    OwnThread helper_;
    std::counting_semaphore<> for_helper_{0};
    std::atomic<std::uint32_t> servers_blocksize_ = 0;
    std::atomic<bool> server_gone_ = false;
    std::atomic<bool> stopping_ = false;
};

}  // namespace cueline
