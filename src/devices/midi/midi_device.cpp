// midi_device.cpp: starts and stops both, and hands each block its messages.
#include "devices/midi/midi_device.hpp"

#include <cmath>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "devices/midi/midi.hpp"
#include "system/regular_expression.hpp"

namespace cueline {

void MidiDevice::start(BlockCallback& callback) {
    feed_.begin(callback);
    reader_.start();
    try {
        device_->start(feed_);
    } catch (...) {
        reader_.stop();
        throw;
    }
}

void MidiDevice::stop() noexcept {
    device_->stop();
    reader_.stop();
}

std::vector<std::string> MidiDevice::midi_names(MidiWay way) {
    if (way == MidiWay::out) refuse_midi(way);
    return reader_.names();
}

void MidiDevice::connect_midi(MidiWay way, const std::string& pattern) {
    if (way == MidiWay::out) refuse_midi(way);
    reader_.connect(pattern);
}

DeviceStats MidiDevice::stats() const noexcept {
    DeviceStats stats = device_->stats();
    stats.midi = reader_.stats();
    stats.memory_locked = stats.memory_locked && locked_.granted();
    return stats;
}

void MidiDevice::Feed::begin(BlockCallback& callback) {
    callback_ = &callback;
    clock_ = {};
    take(device_.format());
}

void MidiDevice::Feed::prepare(const Format& format) {
    take(format);
    callback_->prepare(format);
}

void MidiDevice::Feed::take(const Format& format) {
    samplerate_ = format.samplerate;
    delay_ns_ = device_.delay_ns_;
    if (delay_ns_ == 0) delay_ns_ = duration_ns(2 * std::uint64_t{format.blocksize}, format.samplerate);
}

void MidiDevice::Feed::process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t start_ns = clock_.start_of(block_ns, duration_ns(block.frames, samplerate_));
    const std::span<const Message> midi = device_.reader_.read(start_ns, block.frames, samplerate_, delay_ns_);
    if (!midi.empty()) callback_->take_midi(midi);
    callback_->process(block, block_ns);
}

std::unique_ptr<Device> open_midi(std::unique_ptr<Device> device, const DeviceRequest& request) {
    const MidiReader::Wanted wanted = (request.midi_connect_inputs ? request.midi_connect_inputs : request.midi_connect)
                                          .value_or(MidiReader::Wanted{true});
    const auto* const pattern = std::get_if<std::string>(&wanted);
    if (pattern != nullptr && !is_regular_expression(*pattern)) {
        throw ArgumentError{"midi_connect must be True, False or a regular expression, got '" + *pattern + "'"};
    }
    const auto delay_ns = static_cast<std::uint64_t>(std::llround(request.midi_delay_s.value_or(0) * 1e9));
    return std::make_unique<MidiDevice>(std::move(device), RtMidiLibrary::get(),
                                        static_cast<std::uint32_t>(request.midi_inputs), wanted, delay_ns);
}

}  // namespace cueline
