// streams.cpp: Playback and Recording: the calls that do not wait. The package waits by calling them again.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/stream.hpp>

#include "bindings.hpp"
#include "errors.hpp"
#include "methods.hpp"
#include "no_gil_mutex.hpp"
#include "sender.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// Samples of shape (frames, channels), interleaved. The package has checked the channels.
using Samples = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Room = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

/// Returns samples in a stream's own memory as an array, which keeps that memory. It is read-only if `Sample` is const.
template <class Sample>
nb::ndarray<nb::numpy, Sample, nb::ndim<2>> lent(std::span<Sample> samples, std::size_t channels,
                                                 std::shared_ptr<const void> memory) {
    using Memory = std::shared_ptr<const void>;
    auto kept = std::make_unique<Memory>(std::move(memory));
    const nb::capsule owner{kept.get(), [](void* held) noexcept { delete static_cast<Memory*>(held); }};
    static_cast<void>(kept.release());
    return {samples.data(), {samples.size() / channels, channels}, owner};
}

/// A stream, which keeps its engine. The stream is closed first.
template <class Kind>
class StreamHandle {
  public:
    template <class Request>
    StreamHandle(nb::handle_t<SenderHandle> engine, const Request& request, auto open)
        : shared_{made(engine).shared()} {
        const WithoutGil without_gil;  // it locks memory
        stream_.emplace((shared_->engine.get()->*open)(request));
    }

    void close() {
        const std::scoped_lock lock{busy_};
        stream_.reset();
    }
    [[nodiscard]] bool closed() {
        const std::scoped_lock lock{busy_};
        return !stream_.has_value();
    }
    [[nodiscard]] std::uint32_t handle() {
        return locked([](Kind& stream) { return stream.handle(); });
    }
    [[nodiscard]] std::uint32_t channels() {
        return locked([](Kind& stream) { return stream.channels(); });
    }
    [[nodiscard]] std::size_t capacity() {
        return locked([](Kind& stream) { return stream.capacity(); });
    }

  protected:
    ~StreamHandle() = default;

    /// Calls `act` with the stream, for one thread at a time. It must run no Python code. Raises ClosedError after
    /// close(), and ForkedError in a forked child, where the stream is zeros.
    template <class Act>
    auto locked(Act act) {
        shared_->engine->require_own_process();
        const std::scoped_lock lock{busy_};
        if (!stream_) throw ClosedError{"this stream is closed: open another one"};
        return act(*stream_);
    }

  private:
    std::shared_ptr<SharedEngine> shared_;
    NoGilMutex busy_;
    std::optional<Kind> stream_;
};

/// Python's Playback.
class PlaybackHandle : public StreamHandle<Playback> {
  public:
    /// `stream` is empty, or the name of a stream of the processor.
    PlaybackHandle(nb::handle_t<SenderHandle> engine, std::int64_t frames, std::optional<std::int64_t> channels,
                   const std::string& stream)
        : StreamHandle{engine, PlaybackRequest{.frames = frames, .channels = channels, .stream = stream},
                       &Engine::open_playback} {}

    /// Writes the frames of `array` from `first` on, as many as there is room for. Returns how many.
    std::size_t write(const Samples& array, std::size_t first, bool last) {
        const std::size_t begin = std::min(first, array.shape(0)) * array.shape(1);
        const std::span<const float> samples = std::span{array.data(), array.size()}.subspan(begin);
        return locked([&](Playback& stream) { return stream.write(samples, last); });
    }
    /// Returns free frames as an array to fill, `most` at most and in one piece.
    auto room(std::size_t most) {
        const auto [samples, channels, memory] = locked([most](Playback& stream) {
            return std::tuple{stream.room(most).front(), stream.channels(), stream.memory()};
        });
        return lent(samples, channels, memory);
    }
    /// Hands the first frames of the room to the audio thread.
    void push(std::size_t frames, bool last) {
        locked([=](Playback& stream) {
            const auto room = stream.room(frames);
            stream.push((room[0].size() + room[1].size()) / stream.channels(), last);
        });
    }
    void complete() {
        locked([](Playback& stream) { stream.complete(); });
    }
    std::uint64_t clear_up_to() {
        return locked([](Playback& stream) { return stream.clear_up_to(); });
    }
    /// The engine's frame; frames written, played, cleared, waiting, and of underruns; the phase.
    nb::tuple position() {
        const PlaybackPosition at = locked([](Playback& stream) { return stream.position(); });
        return nb::make_tuple(at.frame, at.written, at.played, at.cleared, at.waiting, at.underrun,
                              static_cast<int>(at.phase));
    }
};

/// Python's Recording.
class RecordingHandle : public StreamHandle<Recording> {
  public:
    /// `source` is "inputs", "outputs", or the name of a stream of the processor.
    RecordingHandle(nb::handle_t<SenderHandle> engine, std::int64_t frames, std::optional<std::int64_t> channels,
                    const std::string& source)
        : StreamHandle{engine, request(frames, channels, source), &Engine::open_recording} {}

    /// Reads a run into `array`. Returns the run's frame, the frames lost before it, its frames, and whether it is the
    /// end.
    nb::tuple read(const Room& array) {
        const RecordedRun<> run =
            locked([&](Recording& stream) { return stream.read(std::span{array.data(), array.size()}); });
        return nb::make_tuple(run.frame, run.lost, run.frames, run.ended);
    }
    /// Returns what read() would read, in one piece, as an array in the ring: see pop().
    nb::tuple view(std::size_t most) {
        const auto [run, channels, memory] = locked(
            [most](Recording& stream) { return std::tuple{stream.waiting(most), stream.channels(), stream.memory()}; });
        return nb::make_tuple(run.frame, run.lost, lent(run.samples.front(), channels, memory), run.ended);
    }
    /// Gives the first frames of a view back to the audio thread.
    void pop(std::size_t frames) {
        locked([frames](Recording& stream) { stream.pop(stream.waiting(frames).frames); });
    }
    /// How many frames the next run has, `most` at most, and whether it may still grow.
    nb::tuple ready(std::size_t most) {
        const RecordedRun<> run = locked([most](Recording& stream) { return stream.waiting(most); });
        return nb::make_tuple(run.frames, run.grows);
    }
    /// The frame at which it began, and up to which it recorded; frames recorded and lost; the phase.
    nb::tuple state() {
        const RecordingState now = locked([](Recording& stream) { return stream.state(); });
        return nb::make_tuple(now.first, now.frame, now.recorded, now.lost, static_cast<int>(now.phase));
    }

  private:
    static RecordingRequest request(std::int64_t frames, std::optional<std::int64_t> channels,
                                    const std::string& source) {
        RecordingRequest wanted{.frames = frames, .channels = channels};
        if (source == "outputs") {
            wanted.source = RecordingSource::outputs;
        } else if (source != "inputs") {
            wanted.stream = source;
        }
        return wanted;
    }
};

template <class Handle>
void bind_stream(nb::class_<Handle>& stream) {
    const auto call = [](auto member) {
        return [member](nb::handle_t<Handle> self) { return (made(self).*member)(); };
    };
    stream.def("close", call(&Handle::close), "Close it. What waits is dropped; a playback that plays fades out.")
        .def_prop_ro("closed", call(&Handle::closed), "Whether it is closed.")
        .def_prop_ro("_handle", call(&Handle::handle))
        .def_prop_ro("channels", call(&Handle::channels), "How many channels it has.")
        .def_prop_ro("capacity", call(&Handle::capacity), "How many frames it has room for.");
}

void bind_stream_types(nb::module_& module) {
    nb::class_<PlaybackHandle> playback{module, "Playback", nb::is_weak_referenceable(), "See cueline.Playback."};
    bind_stream(playback);
    playback
        .def(nb::init<nb::handle_t<SenderHandle>, std::int64_t, std::optional<std::int64_t>, const std::string&>(),
             "engine"_a, "frames"_a, "channels"_a.none(), "stream"_a,
             nb::sig("def __init__(self, engine: Sender, frames: int, channels: int | None, stream: str) -> None"))
        .def("_write", of_made(&PlaybackHandle::write), "samples"_a.noconvert(), "first"_a, "last"_a,
             nb::sig("def _write(self, samples: numpy.typing.NDArray[numpy.float32], first: int, last: bool) -> int"))
        .def("_room", of_made(&PlaybackHandle::room), "most"_a,
             nb::sig("def _room(self, most: int) -> numpy.typing.NDArray[numpy.float32]"))
        .def("_push", of_made(&PlaybackHandle::push), "frames"_a, "last"_a)
        .def("_complete", of_made(&PlaybackHandle::complete))
        .def("_clear_up_to", of_made(&PlaybackHandle::clear_up_to))
        .def("_position", of_made(&PlaybackHandle::position),
             nb::sig("def _position(self) -> tuple[int, int, int, int, int, int, int]"));

    nb::class_<RecordingHandle> recording{module, "Recording", nb::is_weak_referenceable(), "See cueline.Recording."};
    bind_stream(recording);
    recording
        .def(nb::init<nb::handle_t<SenderHandle>, std::int64_t, std::optional<std::int64_t>, const std::string&>(),
             "engine"_a, "frames"_a, "channels"_a.none(), "source"_a,
             nb::sig("def __init__(self, engine: Sender, frames: int, channels: int | None, source: str) -> None"))
        .def("_read", of_made(&RecordingHandle::read), "array"_a.noconvert(),
             nb::sig("def _read(self, array: numpy.typing.NDArray[numpy.float32]) -> tuple[int, int, int, bool]"))
        .def("_view", of_made(&RecordingHandle::view), "most"_a,
             nb::sig("def _view(self, most: int) -> tuple[int, int, numpy.typing.NDArray[numpy.float32], bool]"))
        .def("_pop", of_made(&RecordingHandle::pop), "frames"_a)
        .def("_ready", of_made(&RecordingHandle::ready), "most"_a,
             nb::sig("def _ready(self, most: int) -> tuple[int, bool]"))
        .def("_state", of_made(&RecordingHandle::state), nb::sig("def _state(self) -> tuple[int, int, int, int, int]"));
}

}  // namespace

void bind_streams(nb::module_& module) {
    bind_once<PlaybackHandle, RecordingHandle>(module, &bind_stream_types);
}

}  // namespace cueline::python
