// owned_processor.hpp: a processor and the right of one engine to run it.
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/processor.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// A share in a processor, and its name. After claim() it is also the right to run the processor, until release(). If
/// the processor runs others, the parts, it has and claims those, too.
class OwnedProcessor {
  public:
    /// Implicit, so that you can pass an engine a std::unique_ptr or std::shared_ptr to any processor.
    template <std::convertible_to<std::shared_ptr<Processor>> Pointer>
    OwnedProcessor(Pointer&& processor, std::string name = {},
                   std::vector<OwnedProcessor> parts = {})  // NOLINT(*-explicit-*)
        : processor_{std::forward<Pointer>(processor)}, name_{std::move(name)}, parts_{std::move(parts)} {}
    OwnedProcessor(OwnedProcessor&& other) noexcept
        : processor_{std::move(other.processor_)},
          name_{std::move(other.name_)},
          parts_{std::move(other.parts_)},
          claimed_{std::exchange(other.claimed_, false)} {}
    OwnedProcessor& operator=(OwnedProcessor&&) = delete;
    ~OwnedProcessor() { release(); }

    /// Claims the processor for one engine, and resets it. Throws ArgumentError if there is no processor, or another
    /// engine holds it.
    void claim() { claim(""); }

    // NOLINTBEGIN(misc-no-recursion): a part has no parts, so these calls go one level down.

    /// Lets another engine claim it. Call it only when no block runs the processor and none will.
    void release() noexcept {
        for (OwnedProcessor& part : parts_) part.release();
        if (!std::exchange(claimed_, false)) return;
        processor_->claimed_.store(false, std::memory_order_release);  // pairs with the acquire in claim()
    }

    /// Returns the number of the hand-over at which the engine's buffer handles begin: see BufferHandle. Call it only
    /// after claim().
    [[nodiscard]] std::uint32_t hand_over() const noexcept {
        std::uint32_t latest = processor_->hand_over_;
        for (const OwnedProcessor& part : parts_) latest = std::max(latest, part.hand_over());
        return latest;
    }

    /// Sets this number for the next engine, so that a handle that the processor kept finds no buffer there. Call it
    /// before release().
    void set_hand_over(std::uint32_t number) noexcept {
        processor_->hand_over_ = number;
        for (OwnedProcessor& part : parts_) part.set_hand_over(number);
    }

    // NOLINTEND(misc-no-recursion)

    [[nodiscard]] Processor* get() const noexcept { return processor_.get(); }
    [[nodiscard]] const std::shared_ptr<Processor>& share() const noexcept { return processor_; }
    Processor* operator->() const noexcept { return processor_.get(); }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Returns this processor under another name. [before claim()]
    [[nodiscard]] OwnedProcessor named(std::string name) && {
        return {std::move(processor_), std::move(name), std::move(parts_)};
    }

    /// Returns the processors that it runs, if it runs others: see open_parts(). Their names are those of the parts.
    [[nodiscard]] std::span<const OwnedProcessor> parts() const noexcept { return parts_; }

  private:
    /// The text of an error begins with `whose`.
    void claim(const std::string& whose) {  // NOLINT(misc-no-recursion): as above
        if (!processor_) {
            throw_or_end(
                ArgumentError{whose + "an engine needs a processor, got none: for silence, use SilenceProcessor"});
        }
        // Acquire pairs with the release in release(): what the last engine did with the processor is done.
        if (processor_->claimed_.exchange(true, std::memory_order_acquire)) {
            throw_or_end(ArgumentError{
                whose + "another engine runs this processor: close() that engine first, or make another processor"});
        }
        claimed_ = true;
        get()->reset();
        for (OwnedProcessor& part : parts_) part.claim("part '" + part.name_ + "': ");
    }

    std::shared_ptr<Processor> processor_;
    std::string name_;
    std::vector<OwnedProcessor> parts_;
    bool claimed_ = false;
};

}  // namespace cueline
