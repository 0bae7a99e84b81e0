// line_offer.cpp: opens lines of an engine for extensions.
#include "line_offer.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <cueline/line_offer.hpp>

#include "errors.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

class EngineLine final : public OfferedLine {
  public:
    EngineLine(std::shared_ptr<SharedEngine> shared, Events events)
        : shared_{std::move(shared)}, line_{opened(*shared_, events)} {}

    Sent try_send(Message& message) noexcept override {
        const Engine& engine = *shared_->engine;
        if (engine.forked() || engine.closed()) return Sent::closed;
        const std::size_t confirmations = (message.flags & delivery::confirm) == 0 ? 0 : 1;
        requested() += confirmations;
        if (line_.try_send(message) == Status::ok) return Sent::ok;
        requested() -= confirmations;
        return Sent::full;
    }
    void count_dropped(std::uint64_t commands) noexcept override {
        if (!shared_->engine->forked()) line_.count_dropped(commands);
    }
    Status receive(Message& event) noexcept override {
        return shared_->engine->forked() ? Status::empty : line_.receive(event);
    }
    Status receive_confirmation(Message& confirmation) noexcept override {
        if (shared_->engine->forked()) return Status::empty;
        const Status status = line_.receive_confirmation(confirmation);
        if (status == Status::ok) --requested();
        return status;
    }
    [[nodiscard]] std::uint64_t now() const noexcept override { return shared_->engine->now(); }
    [[nodiscard]] std::optional<BlockTime> last_block() const noexcept override {
        return shared_->engine->last_block();
    }
    [[nodiscard]] std::uint8_t number() const noexcept override { return line_.number(); }

  private:
    static Line opened(SharedEngine& shared, Events events) {
        shared.engine->require_open();
        const std::scoped_lock lock{shared.opening};
        return shared.open_offered_line(events);
    }
    [[nodiscard]] std::atomic<std::size_t>& requested() { return shared_->offered_confirmations[line_.number()]; }

    std::shared_ptr<SharedEngine> shared_;
    Line line_;  // destroyed first
};

OfferedLine* open(void* engine, Events events) noexcept {
    try {
        return new EngineLine{*static_cast<std::shared_ptr<SharedEngine>*>(engine), events};
    } catch (...) {
        set_error();
    }
    return nullptr;
}

}  // namespace

nb::object line_capsule(std::shared_ptr<SharedEngine> shared) {
    struct Owned : LineOffer {
        std::shared_ptr<SharedEngine> shared;
    };
    auto owned = std::make_unique<Owned>();
    owned->shared = std::move(shared);
    owned->engine = &owned->shared;
    owned->open = &open;
    LineOffer* const offer = owned.get();
    auto capsule = nb::steal(PyCapsule_New(offer, line_capsule_name, [](PyObject* withdrawn) {
        void* const held = PyCapsule_GetPointer(withdrawn, line_capsule_name);
        delete static_cast<Owned*>(static_cast<LineOffer*>(held));
    }));
    if (!capsule.is_valid()) throw nb::python_error{};
    (void)owned.release();
    return capsule;
}

}  // namespace cueline::python
