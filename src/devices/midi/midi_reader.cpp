// midi_reader.cpp: opens and closes RtMidi's ports, takes their messages, and places them in blocks.
#include "devices/midi/midi_reader.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/quiet_stderr.hpp"
#include "system/regular_expression.hpp"
#include "system/signals_blocked.hpp"

namespace cueline {

namespace {

using namespace std::chrono_literals;

constexpr auto looks_apart = 500ms;
constexpr unsigned queue_size = 1;  // RtMidi's own, which is used only without a callback

}  // namespace

/// Returns nothing if the system fails.
MidiReader::OwnHandle MidiReader::created() const {
    OwnHandle port{rtmidi_.in_create(system_, "cueline", queue_size), Free{&rtmidi_}};
    return port != nullptr && port->ok ? std::move(port) : OwnHandle{};
}

/// Chooses the first system that has devices, or else the first that works. JACK must have devices: without a server,
/// each look for them would print a warning.
void MidiReader::choose_system() {
    const SignalsBlocked signals_blocked;
    const QuietStderr quiet;
    std::array<unsigned, 16> systems{};
    const int count = rtmidi_.get_compiled_api(systems.data(), static_cast<unsigned>(systems.size()));
    std::optional<unsigned> first;
    for (const unsigned system : std::span{systems}.first(static_cast<std::size_t>(std::max(count, 0)))) {
        system_ = system;
        const OwnHandle port = created();
        if (port == nullptr) continue;
        if (rtmidi_.get_port_count(port.get()) > 0) return;
        if (!first && system != rtmidi_jack) first = system;
    }
    if (!first) {
        throw NoDeviceError{
            "RtMidi finds no MIDI system here, or no device: leave midi_inputs out, or use the device "
            "'jack'"};
    }
    system_ = *first;
}

class MidiReader::Port {
  public:
    /// Opens the device of this number. Throws NoDeviceError if RtMidi refuses.
    Port(MidiReader& reader, std::string name, unsigned number, std::uint8_t input)
        : reader_{reader}, name_{std::move(name)}, input_{input}, handle_{reader.created()} {
        if (handle_ == nullptr) refuse();
        const RtMidiLibrary& rtmidi = reader.rtmidi_;
        rtmidi.in_set_callback(
            handle_.get(),
            [](double, const unsigned char* bytes, std::size_t size, void* self) {
                auto* const port = static_cast<Port*>(self);
                port->reader_.came({bytes, size}, port->input_);
            },
            this);
        rtmidi.in_ignore_types(handle_.get(), false, false, false);
        rtmidi.open_port(handle_.get(), number, "cueline");
        if (!handle_->ok) refuse();
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::uint8_t input() const noexcept { return input_; }

    /// For a forked child, where the port's thread does not run.
    void forget() noexcept { static_cast<void>(handle_.release()); }

  private:
    [[noreturn]] void refuse() const { throw NoDeviceError{"RtMidi cannot open " + name_}; }

    MidiReader& reader_;
    std::string name_;
    std::uint8_t input_;
    OwnHandle handle_;
};

MidiReader::MidiReader(const RtMidiLibrary& rtmidi, std::uint32_t inputs, Wanted wanted)
    : rtmidi_{rtmidi}, inputs_{inputs}, wanted_{std::move(wanted)} {
    choose_system();
}

MidiReader::~MidiReader() {
    stop();
}

void MidiReader::start() {
    Message old;
    while (consumer_.try_pop(old) == Status::ok) {
    }
    holds_ = false;
    {
        const SignalsBlocked signals_blocked;  // RtMidi starts threads
        look();
    }
    helper_.start("MIDI", [this] {
        while (!stop_requested_.try_acquire_for(looks_apart)) look();
    });
}

void MidiReader::stop() noexcept {
    if (helper_.is_the_parents()) {
        for (const std::unique_ptr<Port>& port : ports_) port->forget();
    } else {
        if (helper_.started()) stop_requested_.release();
    }
    helper_.join();
    while (stop_requested_.try_acquire()) {
    }
    ports_.clear();
}

std::vector<std::string> MidiReader::names() const {
    const SignalsBlocked signals_blocked;
    const QuietStderr quiet;
    const std::scoped_lock lock{ports_mutex_};
    const OwnHandle port = created();
    return port == nullptr ? std::vector<std::string>{} : names_by(port.get());
}

/// If a name comes twice, the later ones get numbers.
std::vector<std::string> MidiReader::names_by(RtMidiHandle* port) const {
    std::vector<std::string> names;
    const unsigned count = rtmidi_.get_port_count(port);
    for (unsigned number = 0; number < count; ++number) {
        int size = 0;
        rtmidi_.get_port_name(port, number, nullptr, &size);
        std::string name(static_cast<std::size_t>(std::max(size, 1)), '\0');
        rtmidi_.get_port_name(port, number, name.data(), &size);
        name.resize(name.find('\0') == std::string::npos ? name.size() : name.find('\0'));
        const std::string first = name;
        for (int again = 2; std::ranges::find(names, name) != names.end(); ++again) {
            name = first + " (" + std::to_string(again) + ")";
        }
        names.push_back(name);
    }
    return names;
}

void MidiReader::connect(const std::string& pattern) {
    {
        const std::scoped_lock lock{ports_mutex_};
        wanted_.emplace_back(pattern);
    }
    if (!helper_.started()) return;
    const SignalsBlocked signals_blocked;
    look();
}

bool MidiReader::is_wanted(const std::string& name) const {
    return std::ranges::any_of(wanted_, [&](const Wanted& wanted) {
        const auto* const pattern = std::get_if<std::string>(&wanted);
        return pattern == nullptr ? wanted == Wanted{true} : matches(*pattern, name);
    });
}

/// Returns 0 if none is free.
std::uint8_t MidiReader::free_input() const noexcept {
    if (inputs_ == 1) return 1;
    for (std::uint32_t input = 1; input <= inputs_; ++input) {
        const auto has_it = [=](const auto& port) { return port->input() == input; };
        if (std::ranges::none_of(ports_, has_it)) return static_cast<std::uint8_t>(input);
    }
    return 0;
}

/// Closes what is gone, and opens what is wanted and there. What fails is tried again at the next look.
void MidiReader::look() noexcept {
    const QuietStderr quiet;
    const std::scoped_lock lock{ports_mutex_};
    try {
        const OwnHandle lists = created();
        if (lists == nullptr) return;  // its server is gone for a while
        const std::vector<std::string> there = names_by(lists.get());
        std::erase_if(ports_, [&](const auto& port) { return std::ranges::find(there, port->name()) == there.end(); });
        for (unsigned number = 0; number < there.size(); ++number) {
            const std::string& name = there[number];
            if (!is_wanted(name)) continue;
            if (std::ranges::any_of(ports_, [&](const auto& port) { return port->name() == name; })) continue;
            const std::uint8_t input = free_input();
            if (input == 0) return;
            try {
                ports_.push_back(std::make_unique<Port>(*this, name, number, input));
            } catch (const DeviceError&) {
                continue;  // another program may have it
            }
        }
    } catch (const std::exception&) {
        return;  // there is no memory
    }
}

void MidiReader::came(std::span<const std::uint8_t> bytes, std::uint8_t input) noexcept {
    const std::scoped_lock lock{pushing_};
    std::optional<Message> message = midi_message(bytes, input);
    if (!message) {
        sysex_.add(1);
        return;
    }
    message->frame = monotonic_ns();
    if (producer_.try_push(*message) != Status::ok) full_.add(1);
}

MidiStats MidiReader::stats() const noexcept {
    return {.received = received_.get(), .dropped = full_.get(), .sysex = sysex_.get(), .late = late_.get()};
}

std::span<const Message> MidiReader::read(std::uint64_t start_ns, std::uint32_t frames, std::uint32_t samplerate,
                                          std::uint64_t delay_ns) noexcept CUELINE_NONBLOCKING {
    constexpr std::int64_t ns_a_second = 1'000'000'000;
    std::size_t count = 0;
    while (count < messages_.size() && (holds_ || consumer_.try_pop(held_) == Status::ok)) {
        holds_ = true;
        const auto ahead_ns = std::clamp(static_cast<std::int64_t>(held_.frame + delay_ns - start_ns), -ns_a_second,
                                         100 * ns_a_second);  // the product below fits
        const std::int64_t twice_frames = ahead_ns * samplerate * 2 / ns_a_second;
        if (twice_frames >= 2 * std::int64_t{frames} - 1) break;  // nearer to the next block's first frame
        if (twice_frames < 0) late_.add(1);
        messages_[count] = held_;
        messages_[count].frame = static_cast<std::uint64_t>(std::max<std::int64_t>(twice_frames + 1, 0)) / 2;
        ++count;
        holds_ = false;
    }
    received_.add(count);
    return {messages_.data(), count};
}

}  // namespace cueline
