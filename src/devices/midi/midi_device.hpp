// midi_device.hpp: a device whose blocks also play MIDI.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

#include "devices/midi/block_clock.hpp"
#include "devices/midi/midi_reader.hpp"
#include "system/locked_memory.hpp"

namespace cueline {

/// Another device, which makes the blocks, with the messages of a MidiReader in them. A message plays at a fixed delay
/// after it came, to the frame: blocks tell the time by a BlockClock.
class alignas(page_bytes) MidiDevice final : public Device {
  public:
    /// `delay_ns` 0: two blocks.
    MidiDevice(std::unique_ptr<Device> device, const RtMidiLibrary& rtmidi, std::uint32_t inputs,
               MidiReader::Wanted wanted, std::uint64_t delay_ns)
        : device_{std::move(device)}, reader_{rtmidi, inputs, std::move(wanted)}, feed_{*this}, delay_ns_{delay_ns} {}
    ~MidiDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return device_->name(); }
    [[nodiscard]] Format format() const noexcept override { return device_->format(); }
    [[nodiscard]] DeviceLatency latency() const noexcept override { return device_->latency(); }
    [[nodiscard]] MidiPorts midi_ports() const noexcept override { return {.inputs = reader_.inputs()}; }
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] std::vector<std::string> midi_names(MidiWay way) override;
    void connect_midi(MidiWay way, const std::string& pattern) override;
    [[nodiscard]] bool is_heard() const noexcept override { return device_->is_heard(); }
    [[nodiscard]] DeviceStats stats() const noexcept override;
    [[nodiscard]] const Lateness* lateness() const noexcept override { return device_->lateness(); }

  private:
    /// Stands between the device and the engine.
    class Feed final : public BlockCallback {
      public:
        explicit Feed(MidiDevice& device) : device_{device} {}

        /// [control thread, before the first block]
        void begin(BlockCallback& callback);

        void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override;
        void blocksize_changed(std::uint32_t frames) noexcept CUELINE_NONBLOCKING override {
            callback_->blocksize_changed(frames);
        }
        void prepare(const Format& format) override;
        void lost(std::string_view why) noexcept override { callback_->lost(why); }

      private:
        void take(const Format& format);

        MidiDevice& device_;
        BlockCallback* callback_ = nullptr;
        BlockClock clock_;
        std::uint32_t samplerate_ = 0;
        std::uint64_t delay_ns_ = 0;
    };

    std::unique_ptr<Device> device_;
    MidiReader reader_;
    Feed feed_;
    std::uint64_t delay_ns_;
    LockedMemory locked_{memory_of(*this)};
};

}  // namespace cueline
