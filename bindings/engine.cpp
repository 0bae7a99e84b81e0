// engine.cpp: Engine: its life, receiving, rendering, time and buffers.
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine/range.hpp>
#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include "bindings.hpp"
#include "engine/sequences.hpp"
#include "errors.hpp"
#include "line_offer.hpp"
#include "messages.hpp"
#include "methods.hpp"
#include "processors.hpp"
#include "sender.hpp"
#include "system/utf8.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// Samples of shape (frames, channels), interleaved.
using Samples = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

/// The worst lateness, and (start, end, count) for each bucket that is not empty.
nb::tuple histogram(const Lateness& lateness) {
    nb::list buckets;
    for (std::size_t bucket = 0; bucket < Lateness::bucket_count; ++bucket) {
        const std::uint64_t count = lateness.count(bucket);
        if (count == 0) continue;
        buckets.append(nb::make_tuple(Lateness::least_ns(bucket), Lateness::least_ns(bucket + 1), count));
    }
    return nb::make_tuple(lateness.worst_ns(), buckets);
}

/// Python's Engine.
class EngineHandle : public SenderHandle {
  public:
    EngineHandle(DeviceRequest request, std::optional<std::int64_t> samplerate, std::optional<std::int64_t> blocksize,
                 std::int64_t budget, std::int64_t lines, nb::handle processor) {
        if (samplerate) request.samplerate = checked_range("samplerate", *samplerate, samplerate_range);
        if (blocksize) request.blocksize = checked_range("blocksize", *blocksize, blocksize_range);
        checked_range("budget", budget, budget_range);
        checked_range("lines", lines, lines_range);

        OwnedProcessor owned = processor_of(processor);
        const Processor& its_processor = *owned.get();
        processor_ = valid_utf8(owned.name());
        std::vector<const Processor*> parts;
        for (const OwnedProcessor& part : owned.parts()) {
            parts.push_back(part.get());
            parts_.push_back({.name = part.name()});
        }

        const WithoutGil without_gil;  // a sound system may answer late
        std::unique_ptr<Device> opened = open_device(request, &absent_);
        name_ = opened->name();
        auto shared = std::make_shared<SharedEngine>();
        shared->engine = std::make_unique<Engine>(std::move(opened), std::move(owned), budget, lines);
        shared->kinds.emplace_back(its_processor, "the processor '" + processor_ + "'", shared->kinds);
        std::uint32_t slots = 0;
        for (std::size_t part = 0; part < parts.size(); ++part) {
            shared->kinds.emplace_back(*parts[part], "the part '" + parts_[part].name + "'", shared->kinds);
            parts_[part].first_slot = slots;
            parts_[part].slots = parts[part]->buffer_slots();
            parts_[part].loads_buffers = parts[part]->loaded_buffers() > 0;
            slots += parts_[part].slots;
        }
        for (const std::string_view reason : its_processor.reasons()) reasons_.push_back(valid_utf8(reason));
        Line& control = shared->engine->control();
        connect(std::move(shared), &control, true);
    }

    /// Lines, parameters and meters may keep the engine alive. After this, their calls raise ClosedError.
    ~EngineHandle() {
        close();
        const std::scoped_lock lock{shared()->opening};
        shared()->open[0] = nullptr;
    }
    EngineHandle(const EngineHandle&) = delete;
    EngineHandle& operator=(const EngineHandle&) = delete;

    nb::object publish(std::int64_t slot, const Samples& array, nb::handle at, nb::handle late, nb::handle seconds) {
        require_slots();
        const Delivery delivery = checked_delivery(at, late);
        Timeout timeout{seconds};
        free_returned_buffers();
        const std::span<const float> samples{array.data(), array.size()};
        const auto channels = static_cast<std::int64_t>(array.shape(1));
        PendingBuffer buffer;
        Left left;
        const bool sent = send_within(timeout, left, [&] {
            engine_->require_usable();
            if (!buffer) {
                std::optional<WithoutGil> without_gil;
                if (samples.size_bytes() >= large_bytes) without_gil.emplace();
                buffer = engine_->make_buffer(slot, samples, channels);
            }
            // Without a buffer, it is not the ring that has no room.
            left = {.is_cue = buffer && delivery.is_cue(), .commands = buffer ? std::size_t{1} : 0};
            const std::scoped_lock lock{sending_};
            return buffer && sender().room() > 0 &&
                   engine_->publish(slot, std::exchange(buffer, {}), delivery) == Status::ok;
        });
        if (sent) return to_python(Status::ok);
        if (buffer) {
            {
                const WithoutGil without_gil;  // a large copy takes long to free
                buffer = PendingBuffer{};
            }
            return no_room(timeout);
        }
        {
            const std::scoped_lock lock{sending_};
            engine_->publish(slot, PendingBuffer{}, delivery);  // counts a refused buffer
        }
        if (!timeout.waits()) return to_python(Status::no_buffer);
        raise_no_buffer(timeout);
    }

    std::uint32_t load_buffer(const Samples& array, nb::handle seconds) {
        require_loading();
        Timeout timeout{seconds};
        free_returned_buffers();
        const std::span<const float> samples{array.data(), array.size()};
        const auto channels = static_cast<std::int64_t>(array.shape(1));
        PendingBuffer buffer;
        const Left nothing{.commands = 0};
        send_within(timeout, nothing, [&] {
            engine_->require_usable();
            std::optional<WithoutGil> without_gil;
            if (samples.size_bytes() >= large_bytes) without_gil.emplace();
            buffer = engine_->make_buffer(samples, channels);
            return static_cast<bool>(buffer);
        });
        const std::optional<BufferHandle> handle = engine_->load_buffer(std::move(buffer));
        if (!handle) raise_no_buffer(timeout);
        return *handle;
    }

    nb::object publish_nothing(std::int64_t slot, nb::handle at, nb::handle late, nb::handle seconds) {
        require_slots();
        const Delivery delivery = checked_delivery(at, late);
        Timeout timeout{seconds};
        const bool sent = send_within(timeout, {.is_cue = delivery.is_cue()}, [&] {
            engine_->require_usable();
            const std::scoped_lock lock{sending_};
            return sender().room() > 0 && engine_->publish_nothing(slot, delivery) == Status::ok;
        });
        return sent ? to_python(Status::ok) : no_room(timeout);
    }

    void require_usable() const { engine_->require_usable(); }

    /// Raises ProcessorError if the processor has no buffer slots.
    void require_slots() const {
        engine_->require_usable();
        if (engine_->buffer_slots() > 0) return;
        raise("ProcessorError", "publish() needs a processor with buffer slots, and '" + processor_ +
                                    "' has none: use AudioEngine(processor='player')");
    }

    /// Raises ProcessorError if the processor loads no buffers without a slot.
    void require_loading() const {
        engine_->require_usable();
        if (engine_->loaded_buffers() > 0) return;
        raise("ProcessorError", "load_buffer() needs a processor that loads buffers without a slot, and '" +
                                    processor_ +
                                    "' does not: use publish(), or one in C++ that overrides loaded_buffers()");
    }

    /// Moves all confirmations that have come to `outcomes`, by line and sequence. Each goes there at once, because one
    /// caller may take the confirmation that another caller waits for.
    void receive_confirmations(const nb::dict& outcomes) {
        engine_->require_own_process();
        const nb::ft_lock_guard lock{shared()->collecting};
        for (std::size_t line = 0; line < engine_->lines(); ++line) {
            Message outcome;
            while (shared()->pending_confirmations[line] > 0 && receive_confirmation_of(line, outcome) == Status::ok) {
                --shared()->pending_confirmations[line];
                outcomes[nb::make_tuple(line, outcome.sequence)] = to_python(outcome);
            }
        }
    }

    [[nodiscard]] std::uint64_t now() const {
        engine_->require_own_process();
        return engine_->now();
    }
    [[nodiscard]] std::uint64_t frame_at(std::uint64_t monotonic_ns) const {
        engine_->require_own_process();
        return engine_->block_time().frame_at(monotonic_ns);
    }
    [[nodiscard]] std::uint64_t time_at(std::uint64_t frame) const {
        engine_->require_own_process();
        const BlockTime time = engine_->block_time();
        constexpr std::uint64_t max_s = 9'000'000'000;  // in ns it fits in the 63 bits that frame_at() accepts
        if (frame > time.frame && (frame - time.frame) / time.samplerate >= max_s) {
            raise("ArgumentError", "frame must be within 285 years of now, up to " +
                                       std::to_string(time.frame + max_s * time.samplerate) + ", got " +
                                       std::to_string(frame));
        }
        return time.time_at(frame);
    }

    [[nodiscard]] std::vector<std::string> midi_names(bool outputs) const {
        std::vector<std::string> names;
        {
            const WithoutGil without_gil;  // a sound system may answer late
            names = engine_->midi_names(outputs ? MidiWay::out : MidiWay::in);
        }
        for (std::string& name : names) name = valid_utf8(name);
        return names;
    }

    void connect_midi(const std::string& pattern, bool outputs) const {
        const WithoutGil without_gil;  // the same
        engine_->connect_midi(outputs ? MidiWay::out : MidiWay::in, pattern);
    }

    void start() {
        const WithoutGil without_gil;
        engine_->start();
    }

    [[nodiscard]] std::uint32_t feed_sequences() const {
        require_offline();
        const WithoutGil without_gil;
        return engine_->feed_sequences();
    }

    void stop() {
        engine_->require_own_process();
        const WithoutGil without_gil;
        engine_->stop();
    }

    void close() {
        const WithoutGil without_gil;
        engine_->close();
    }

    /// `inputs` may have fewer frames than `outputs`. If there are no outputs, it has all frames.
    void render_into(const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& outputs,
                     const Samples& inputs) {
        require_offline();
        if (rendering_.exchange(true)) {
            raise("DeviceError", "render() is running already: wait until it returns");
        }
        const Rendering rendering{rendering_};
        engine_->start();
        const Format format = this->format();
        const std::span<float> all{outputs.data(), outputs.size()};
        const std::span<const float> given{inputs.data(), inputs.size()};
        const std::size_t frames = outputs.shape(0);
        for (std::size_t done = 0; done < frames;) {
            if (shutting_down()) raise("ClosedError", "Python is ending: render() stopped");
            const std::size_t round = std::min(frames - done, frames_a_round(format));
            const auto part = [&](auto samples, std::size_t channels) {
                const std::size_t begin = std::min(samples.size(), done * channels);
                return samples.subspan(begin, std::min(samples.size() - begin, round * channels));
            };
            std::size_t rendered = 0;
            {
                const WithoutGil without_gil;
                try {
                    rendered = engine_->device().render(part(all, format.outputs), part(given, format.inputs));
                } catch (const DeviceError&) {
                    rendered = 0;  // another thread or a signal handler stopped the engine
                }
            }
            done += rendered;
            engine_->require_usable();
            if (rendered < round) {
                raise("DeviceError", "stop() ended this render after " + std::to_string(done) + " of " +
                                         std::to_string(frames) + " frames");
            }
            if (PyErr_CheckSignals() != 0) throw nb::python_error{};
        }
    }

    [[nodiscard]] Timeline timeline() const {
        engine_->require_own_process();
        return engine_->timeline();
    }

    /// Raises DeviceError if the device does not render on demand.
    void require_offline() const {
        engine_->require_usable();
        engine_->device().require_on_demand();
    }

    [[nodiscard]] EngineStats stats() const {
        engine_->require_own_process();
        free_returned_buffers();
        EngineStats stats = counted();
        for (std::size_t line = 0; line < stats.lines.size(); ++line) {
            stats.lines[line].events.dropped += shared()->discarded_events[line];
        }
        stats.events = stats.lines.front().events;
        return stats;
    }
    [[nodiscard]] nb::tuple lateness() const {
        engine_->require_own_process();
        const Lateness* const lateness = engine_->device().lateness();
        if (lateness == nullptr) {
            raise("DeviceError",
                  "only the null device measures how late its blocks begin, and this engine runs on the " + name_ +
                      " device: use AudioEngine('null')");
        }
        return histogram(*lateness);
    }
    [[nodiscard]] Format format() const { return engine_->format(); }
    [[nodiscard]] std::uint32_t samplerate() const { return format().samplerate; }
    [[nodiscard]] std::uint32_t blocksize() const { return format().blocksize; }
    [[nodiscard]] std::uint32_t inputs() const { return format().inputs; }
    [[nodiscard]] std::uint32_t outputs() const { return format().outputs; }
    [[nodiscard]] std::uint32_t input_latency() const { return engine_->latency().input; }
    [[nodiscard]] std::uint32_t output_latency() const { return engine_->latency().output; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& processor() const { return processor_; }

    /// For each part its name, its first slot for buffers, how many it has, and whether it loads buffers without one.
    [[nodiscard]] nb::list parts() const {
        nb::list all;
        for (const Part& part : parts_) {
            all.append(nb::make_tuple(part.name, part.first_slot, part.slots, part.loads_buffers));
        }
        return all;
    }

    /// The reasons against the devices with sound, if the caller named none and got the null device. Otherwise empty.
    [[nodiscard]] const std::vector<std::string>& absent() const { return absent_; }

    /// The processor's names for the reasons from first_own_reason on.
    [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }
    [[nodiscard]] nb::tuple worst_case() const {
        const WorstCase most = engine_->worst_case();
        return nb::make_tuple(most.commands, most.cues, most.segments, most.midi);
    }
    [[nodiscard]] std::uint32_t buffer_slots() const { return engine_->buffer_slots(); }
    /// The channels of the stream that the processor declares under `name`, 0 if there is none.
    [[nodiscard]] std::uint32_t stream_channels(const std::string& name, bool plays) const {
        const ProcessorControls& controls = engine_->controls();
        for (const StreamSpec& spec : plays ? controls.playback_specs() : controls.recording_specs()) {
            if (spec.name == name) return spec.channels;
        }
        return 0;
    }
    [[nodiscard]] bool closed() const { return engine_->closed(); }

    [[nodiscard]] const char* state() const {
        switch (engine_->state()) {
            case EngineState::not_started:
                return "not started";
            case EngineState::running:
                return "running";
            case EngineState::stopped:
                return "stopped";
            case EngineState::lost:
                return "device lost";
            case EngineState::closed:
                break;
        }
        return "closed";
    }

    /// Counts losses that raised no exception: commands and buffers refused for lack of room, cues applied late, cues
    /// refused, messages that the processor did not handle, or refused without a confirmation, MIDI each way. The
    /// events of sequences are among them.
    [[nodiscard]] nb::tuple losses() const {
        const EngineStats now = stats();
        std::uint64_t refused = now.buffers.refused;
        for (const LineStats& line : now.lines) refused += line.commands.dropped;
        return nb::make_tuple(refused - std::min<std::uint64_t>(refused, shared()->raised_refusals), now.cues.late,
                              now.cues.refused, now.unhandled,
                              now.refused_unconfirmed + now.sequences.refused_by_processor, now.midi.dropped,
                              now.midi.unsent, now.sequences.left_out);
    }

  private:
    /// Raises Full for a buffer that was counted as refused.
    [[noreturn]] void raise_no_buffer(const Timeout& timeout) const {
        ++shared()->raised_refusals;
        timeout.raise_full(std::to_string(engine_->stats().buffers.limit) + " buffers are in use, which is the limit" +
                           why_no_block());
    }

    Status receive_confirmation_of(std::size_t line, Message& outcome) {
        const std::scoped_lock lock{shared()->opening};
        SenderHandle* const open = shared()->open[line];
        return open == nullptr ? engine_->receive_confirmation_of_closed(line, outcome)
                               : open->receive_confirmation(outcome);
    }

    /// If sequences were played, the thread that feeds them may hold their mutex: then it waits without the GIL.
    [[nodiscard]] EngineStats counted() const {
        std::optional<WithoutGil> without_gil;
        if (engine_->sequences().is_open()) without_gil.emplace();
        return engine_->stats();
    }

    struct Rendering {
        std::atomic<bool>& flag;
        ~Rendering() { flag = false; }
    };

    /// Frees the buffers that came back, without the GIL, because large ones take long.
    void free_returned_buffers() const {
        if (!engine_->has_returned_buffers()) return;
        const WithoutGil without_gil;
        engine_->free_returned_buffers();
    }

    /// From this size on, copying takes longer than releasing and taking the GIL.
    static constexpr std::size_t large_bytes = std::size_t{1} << 16U;

    /// Whole blocks of about a hundred thousand frames together. Ctrl-C works after each round.
    [[nodiscard]] static std::size_t frames_a_round(const Format& format) {
        const std::size_t blocks = std::max<std::size_t>(1, (std::size_t{1} << 17U) / format.blocksize);
        return blocks * format.blocksize;
    }

    struct Part {
        std::string name;
        std::uint32_t first_slot = 0;
        std::uint32_t slots = 0;
        bool loads_buffers = false;
    };

    std::string name_;
    std::string processor_;
    std::vector<Part> parts_;
    std::vector<std::string> absent_;
    std::vector<std::string> reasons_;
    std::atomic<bool> rendering_ = false;
};

void bind_engine_types(nb::module_& module) {
    nb::class_<EngineHandle, SenderHandle> engine{module, "Engine", nb::is_weak_referenceable(),
                                                  "A processor and a device, run together."};
    Methods<EngineHandle>{engine}
        .add<&EngineHandle::start>(
            "start", {}, "Start the audio. If it runs, do nothing. Raises ClosedError, ForkedError, DeviceError.")
        .add<&EngineHandle::stop>(
            "stop", {},
            "Stop the audio. If it is stopped, do nothing. Commands sent while it is stopped wait in the ring.\n"
            "With JACK or PortAudio, the last block fades out. Raises ForkedError.")
        .add<&EngineHandle::close>(
            "close", {},
            "Stop the audio for good. stats() still works. In a forked child and after close(), it does nothing.")
        .add<&EngineHandle::now>(
            "now", {},
            "Return the first frame of the next block: the earliest at which a command sent now can apply.\n\n"
            "Raises ForkedError.");
    engine
        .def(nb::init<DeviceRequest, std::optional<std::int64_t>, std::optional<std::int64_t>, std::int64_t,
                      std::int64_t, nb::handle>(),
             "request"_a.lock(), "samplerate"_a.none(), "blocksize"_a.none(), "budget"_a, "lines"_a, "processor"_a)
        .def(
            "__cueline_lines__", [](nb::handle_t<EngineHandle> self) { return line_capsule(made(self).shared()); },
            "Return a capsule for C++'s cueline::open_offered_line().")
        .def("_frame_at", of_made(&EngineHandle::frame_at), "monotonic_ns"_a)
        .def("_time_at", of_made(&EngineHandle::time_at), "frame"_a)
        .def("_receive_confirmations", of_made(&EngineHandle::receive_confirmations), "outcomes"_a,
             nb::sig("def _receive_confirmations(self, outcomes: dict[tuple[int, int], Message]) -> None"))
        .def("_timeline", of_made(&EngineHandle::timeline))
        .def("_midi_names", of_made(&EngineHandle::midi_names), "outputs"_a)
        .def("_connect_midi", of_made(&EngineHandle::connect_midi), "pattern"_a, "outputs"_a)
        .def("_require_usable", of_made(&EngineHandle::require_usable))
        .def("_stream_channels", of_made(&EngineHandle::stream_channels), "name"_a, "plays"_a)
        .def("_render_into", of_made(&EngineHandle::render_into), "outputs"_a.noconvert(), "inputs"_a.noconvert(),
             nb::sig("def _render_into(self, outputs: numpy.typing.NDArray[numpy.float32], "
                     "inputs: numpy.typing.NDArray[numpy.float32]) -> None"))
        .def("_publish", of_made(&EngineHandle::publish), "slot"_a, "samples"_a.noconvert(), "at"_a.none(),
             "late"_a.none(), "timeout"_a.none(),
             nb::sig("def _publish(self, slot: int, samples: numpy.typing.NDArray[numpy.float32], at: object, "
                     "late: object, timeout: float | None) -> Status"))
        .def("_load_buffer", of_made(&EngineHandle::load_buffer), "samples"_a.noconvert(), "timeout"_a.none(),
             nb::sig("def _load_buffer(self, samples: numpy.typing.NDArray[numpy.float32], timeout: float | None) "
                     "-> int"))
        .def("_require_loading", of_made(&EngineHandle::require_loading))
        .def(
            "_publish_nothing", of_made(&EngineHandle::publish_nothing), "slot"_a, "at"_a.none(), "late"_a.none(),
            "timeout"_a.none(),
            nb::sig("def _publish_nothing(self, slot: int, at: object, late: object, timeout: float | None) -> Status"))
        .def("_require_slots", of_made(&EngineHandle::require_slots))
        .def("_feed_sequences", of_made(&EngineHandle::feed_sequences))
        .def("_require_offline", of_made(&EngineHandle::require_offline))
        .def("_stats", of_made(&EngineHandle::stats))
        .def_prop_ro("_parts", of_made(&EngineHandle::parts),
                     nb::sig("def _parts(self) -> list[tuple[str, int, int, bool]]"))
        .def("_worst_case", of_made(&EngineHandle::worst_case),
             nb::sig("def _worst_case(self) -> tuple[int, int, int, int]"))
        .def("_losses", of_made(&EngineHandle::losses), nb::sig("def _losses(self) -> tuple[int, ...]"))
        .def("_lateness", of_made(&EngineHandle::lateness),
             nb::sig("def _lateness(self) -> tuple[int, list[tuple[int, int, int]]]"),
             "Return how late the null device's blocks began, in nanoseconds: the worst, and for each bucket that is\n"
             "not empty its start, its end and its count. Raises DeviceError on other devices, ForkedError.")
        .def_prop_ro("closed", of_made(&EngineHandle::closed), "Whether close() was called.")
        .def_prop_ro("_state",
                     [](nb::handle_t<EngineHandle> self) {
                         return nb::inst_ready(self) ? nb::inst_ptr<EngineHandle>(self)->state() : "never made";
                     })
        .def_prop_ro("device", of_made(&EngineHandle::name), "The name of its device.")
        .def_prop_ro("buffer_slots", of_made(&EngineHandle::buffer_slots), "How many buffer slots its processor has.")
        .def_prop_ro("processor", of_made(&EngineHandle::processor), "The name of its processor.")
        .def_prop_ro("_absent", of_made(&EngineHandle::absent))
        .def_prop_ro("_reasons", of_made(&EngineHandle::reasons))
        .def_prop_ro("samplerate", of_made(&EngineHandle::samplerate), "Frames per second.")
        .def_prop_ro("blocksize", of_made(&EngineHandle::blocksize), "Frames per block.")
        .def_prop_ro("inputs", of_made(&EngineHandle::inputs), "How many channels come from the device.")
        .def_prop_ro("outputs", of_made(&EngineHandle::outputs), "How many channels go to the device.")
        .def_prop_ro("input_latency", of_made(&EngineHandle::input_latency),
                     "Frames from a sound at the device's input to the block that has it, as the device reports it.\n\n"
                     "0 if it reports nothing.")
        .def_prop_ro("output_latency", of_made(&EngineHandle::output_latency),
                     "Frames from a block to its sound at the device's output, as the device reports it.\n\n"
                     "0 if it reports nothing.");
}

}  // namespace

void bind_engine(nb::module_& module) {
    module.def("engines_running", &Engine::running);
    bind_once<EngineHandle>(module, &bind_engine_types);
}

}  // namespace cueline::python
