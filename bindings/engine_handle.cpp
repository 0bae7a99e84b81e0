// engine_handle.cpp: Engine: making one, receiving, rendering, time, buffers, life and death.
#include "engine_handle.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include <cueline/engine/open_device.hpp>
#include <cueline/engine/range.hpp>
#include "bulk.hpp"
#include "engine/engine.hpp"
#include "errors.hpp"
#include "messages.hpp"
#include "processors.hpp"
#include "sender.hpp"
#include "wakeups.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using cueline::Message;

/// Frames and channels, one frame after the other; read only is enough.
using Samples = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

class EngineHandle : public SenderHandle {
  public:
    EngineHandle(cueline::DeviceRequest request, std::optional<std::int64_t> samplerate,
                 std::optional<std::int64_t> blocksize, std::int64_t channels, std::int64_t budget,
                 nb::handle processor) {
        if (samplerate)
            request.samplerate = cueline::checked_range("samplerate", *samplerate, cueline::samplerate_range);
        if (blocksize) request.blocksize = cueline::checked_range("blocksize", *blocksize, cueline::blocksize_range);
        request.channels = cueline::checked_range("channels", channels, cueline::channels_range);
        cueline::checked_range("budget", budget, cueline::budget_range);

        NamedProcessor named = processor_of(processor);
        processor_ = std::move(named.name);

        const WithoutGil without_gil;  // a sound system may take its time to answer
        std::unique_ptr<cueline::Device> opened = cueline::open_device(request);
        device_ = opened.get();
        name_ = opened->name();
        auto shared = std::make_shared<SharedEngine>();
        shared->engine = std::make_unique<cueline::Engine>(std::move(opened), named.processor, budget);
        engine_ = shared->engine.get();
        send_by(std::move(shared), &engine_->control(), true);
    }

    /// What else has the engine may have it longer: nothing runs any more, and they say that it is closed.
    ~EngineHandle() {
        if (engine_ != nullptr) engine_->close();
    }
    EngineHandle(const EngineHandle&) = delete;
    EngineHandle& operator=(const EngineHandle&) = delete;

    nb::object publish(std::int64_t slot, const Samples& array, nb::handle at, nb::handle late) {
        require_slots();
        const cueline::Delivery delivery = checked_delivery(at, late);
        const std::span<const float> samples{array.data(), array.size()};
        const auto channels = static_cast<std::int64_t>(array.shape(1));
        cueline::BufferPool::PendingBuffer made;
        {
            std::optional<WithoutGil> without_gil;
            if (samples.size_bytes() >= large_bytes) without_gil.emplace();
            made = engine_->make_buffer(slot, samples, channels);
        }
        const nb::ft_lock_guard lock{sending_};
        return to_python(engine_->publish(slot, std::move(made), delivery));
    }

    nb::object publish_nothing(std::int64_t slot, nb::handle at, nb::handle late) {
        require_slots();
        const cueline::Delivery delivery = checked_delivery(at, late);
        const nb::ft_lock_guard lock{sending_};
        return to_python(engine_->publish_nothing(slot, delivery));
    }

    /// That its processor can be handed buffers.
    void require_slots() const {
        engine_->require_usable();
        if (engine_->buffer_slots() > 0) return;
        raise("ProcessorError", "publish() needs a processor with slots for buffers, and '" + processor_ +
                                    "' has none: use AudioEngine(processor='player')");
    }

    // What came before the engine was closed, or its device was lost, can still be had; then it is said that nothing
    // will come any more.

    nb::object receive_msg() {
        engine_->require_own_process();
        Message message;
        {
            const nb::ft_lock_guard lock{receiving_};
            if (engine_->control().receive(message) == cueline::Status::empty) {
                engine_->require_usable();
                return nb::none();
            }
        }
        return to_python(message);
    }

    /// How many messages there are to be received now.
    [[nodiscard]] std::size_t waiting() {
        engine_->require_own_process();
        const nb::ft_lock_guard lock{receiving_};
        const std::size_t messages = engine_->control().waiting();
        if (messages == 0) engine_->require_usable();
        return messages;
    }

    /// Takes as many messages as wait and `array` has room for.
    std::size_t receive_into(nb::handle array) {
        const Records room = Records::write(array);
        engine_->require_own_process();
        const nb::ft_lock_guard lock{receiving_};
        return engine_->control().receive(room.messages());
    }

    /// Puts what became of the commands that were sent with a confirmation, as far as the audio thread has told, into
    /// `told`, by line and sequence: at once, for what is told to one caller may be what another one waits for.
    void receive_confirmations(const nb::dict& told) {
        engine_->require_own_process();
        Message outcome;
        while (true) {
            {
                const nb::ft_lock_guard lock{receiving_};
                if (engine_->control().receive_confirmation(outcome) == cueline::Status::empty) return;
            }
            --shared()->confirmations;
            told[nb::make_tuple(outcome.line, outcome.sequence)] = to_python(outcome);
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
        const cueline::BlockTime time = engine_->block_time();
        constexpr std::uint64_t max_s =
            9'000'000'000;  // in nanoseconds they are within 63 bits, as what frame_at takes
        if (frame > time.frame && (frame - time.frame) / time.samplerate >= max_s) {
            raise("ArgumentError", "frame must be within 285 years of now, up to " +
                                       std::to_string(time.frame + max_s * time.samplerate) + ", got " +
                                       std::to_string(frame));
        }
        return time.time_at(frame);
    }

    void start() {
        const WithoutGil without_gil;
        engine_->start();
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

    void render_into(const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& audio) {
        require_offline();
        if (rendering_.exchange(true)) {
            raise("DeviceError", "this engine is rendering already: one render() at a time");
        }
        const Rendering rendering{rendering_};
        engine_->start();
        const cueline::Format format = this->format();
        const std::span<float> all{audio.data(), audio.size()};
        for (std::size_t done = 0; done < all.size();) {
            if (shutting_down()) raise("ClosedError", "Python is ending: there is nobody to render for");
            const std::span<float> round = all.subspan(done, std::min(all.size() - done, samples_a_round(format)));
            std::size_t rendered = 0;
            {
                const WithoutGil without_gil;
                try {
                    rendered = device_->render(round);
                } catch (const cueline::DeviceError&) {
                    rendered = 0;  // stopped by another thread, or a signal handler, since the round before
                }
            }
            done += rendered;
            engine_->require_usable();
            if (rendered < round.size()) {
                raise("DeviceError", "stop() ended this render after " + std::to_string(done / format.channels) +
                                         " of " + std::to_string(all.size() / format.channels) + " frames");
            }
            if (PyErr_CheckSignals() != 0) throw nb::python_error{};
        }
    }

    /// That it can render.
    void require_offline() const {
        engine_->require_usable();
        device_->require_on_demand();
    }

    [[nodiscard]] cueline::EngineStats stats() const {
        engine_->require_own_process();
        return engine_->stats();
    }
    [[nodiscard]] nb::tuple lateness() const {
        engine_->require_own_process();
        const cueline::Lateness* const lateness = device_->lateness();
        if (lateness == nullptr) {
            raise("DeviceError", "only the null device tells how late its blocks began, and this engine runs on the " +
                                     name_ + " device: use AudioEngine('null')");
        }
        return to_python(*lateness);
    }
    [[nodiscard]] cueline::Format format() const { return engine_->format(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& processor() const { return processor_; }
    [[nodiscard]] std::uint32_t buffer_slots() const { return engine_->buffer_slots(); }
    [[nodiscard]] bool closed() const { return engine_->closed(); }

  private:
    struct Rendering {
        std::atomic<bool>& flag;
        ~Rendering() { flag = false; }
    };

    /// From here on, to copy takes longer than to let go of the GIL and have it back.
    static constexpr std::size_t large_bytes = std::size_t{1} << 16U;

    /// Whole blocks, about a hundred thousand frames: what a Ctrl-C has to wait for.
    [[nodiscard]] static std::size_t samples_a_round(const cueline::Format& format) {
        const std::size_t blocks = std::max<std::size_t>(1, (std::size_t{1} << 17U) / format.blocksize);
        return blocks * format.blocksize * format.channels;
    }

    std::string name_;
    std::string processor_;
    cueline::Engine* engine_ = nullptr;  // the shared one
    cueline::Device* device_ = nullptr;  // the engine's device
    std::atomic<bool> rendering_ = false;
    nb::ft_mutex receiving_;
};

void bind_anew(nb::module_& module) {
    nb::class_<EngineHandle, SenderHandle> engine{module, "Engine", nb::is_weak_referenceable(),
                                                  "A link, a processor and a device, run together."};
    bind_sending(engine);
    engine
        .def(nb::init<cueline::DeviceRequest, std::optional<std::int64_t>, std::optional<std::int64_t>, std::int64_t,
                      std::int64_t, nb::handle>(),
             "request"_a, "samplerate"_a.none(), "blocksize"_a.none(), "channels"_a, "budget"_a, "processor"_a)
        .def("receive_msg", &EngineHandle::receive_msg, nb::sig("def receive_msg(self) -> Message | None"),
             "Take the oldest message from the audio thread, or return None when there is none.\n\n"
             "Never blocks. Any thread may call it: it holds the GIL while it pops. What came before the engine was\n"
             "closed can still be had; when there is no more, ClosedError is raised. Raises ForkedError, DeviceError.")
        .def("start", &EngineHandle::start,
             "Let the audio run; nothing to do when it does. Raises ClosedError, ForkedError, DeviceError.")
        .def("stop", &EngineHandle::stop,
             "Let the audio stand still; nothing to do when it does. What is sent meanwhile waits.\n"
             "Raises ForkedError.")
        .def("close", &EngineHandle::close,
             "Stop for good; nothing to do the second time, or in a forked child. stats() still answers.")
        .def("now", &EngineHandle::now,
             "Return the first frame of the next block: the earliest at which what is sent now can apply.\n\n"
             "Raises ForkedError.")
        .def("_frame_at", &EngineHandle::frame_at, "monotonic_ns"_a)
        .def("_time_at", &EngineHandle::time_at, "frame"_a)
        .def("_receive_confirmations", &EngineHandle::receive_confirmations, "told"_a,
             nb::sig("def _receive_confirmations(self, told: dict[tuple[int, int], Message]) -> None"))
        .def("_waiting", &EngineHandle::waiting)
        .def("_receive_into", &EngineHandle::receive_into, "array"_a,
             nb::sig("def _receive_into(self, array: numpy.typing.NDArray[numpy.void]) -> int"))
        .def("_require_usable", &EngineHandle::require_usable)
        .def("_render_into", &EngineHandle::render_into, "audio"_a.noconvert(),
             nb::sig("def _render_into(self, audio: numpy.typing.NDArray[numpy.float32]) -> None"))
        .def("_publish", &EngineHandle::publish, "slot"_a, "samples"_a.noconvert(), "at"_a.none(), "late"_a.none(),
             nb::sig("def _publish(self, slot: int, samples: numpy.typing.NDArray[numpy.float32], at: object, "
                     "late: object) -> Status"))
        .def("_publish_nothing", &EngineHandle::publish_nothing, "slot"_a, "at"_a.none(), "late"_a.none(),
             nb::sig("def _publish_nothing(self, slot: int, at: object, late: object) -> Status"))
        .def("_require_slots", &EngineHandle::require_slots)
        .def("_require_offline", &EngineHandle::require_offline)
        .def("_stats", &EngineHandle::stats)
        .def("_lateness", &EngineHandle::lateness,
             nb::sig("def _lateness(self) -> tuple[int, list[tuple[int, int, int]]]"),
             "Return how late the null device's blocks began: the worst, and of each bucket that is not empty\n"
             "the least that counts in it, where it ends, and its count. Times are in nanoseconds.\n"
             "Raises DeviceError on other devices, ForkedError.")
        .def_prop_ro("closed", &EngineHandle::closed, "Whether close() was called.")
        .def_prop_ro("device", &EngineHandle::name, "The device it runs on, by name.")
        .def_prop_ro("buffer_slots", &EngineHandle::buffer_slots, "How many slots its processor has for buffers.")
        .def_prop_ro("processor", &EngineHandle::processor, "The processor that renders, by name.")
        .def_prop_ro(
            "samplerate", [](const EngineHandle& self) { return self.format().samplerate; }, "Frames a second.")
        .def_prop_ro(
            "blocksize", [](const EngineHandle& self) { return self.format().blocksize; }, "Frames in a block.")
        .def_prop_ro("channels", [](const EngineHandle& self) { return self.format().channels; }, "Channels of audio.");
    engine.inc_ref();
}

}  // namespace

/// Types are bound once a process, live as long, and are imported afresh as often as somebody empties sys.modules.
void bind_engine(nb::module_& module) {
    if (!nb::type<EngineHandle>().is_valid()) {
        bind_anew(module);
    } else {
        module.attr("Engine") = nb::type<EngineHandle>();
    }
}
