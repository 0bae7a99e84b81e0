// backlog.hpp: the commands of a line that were taken out of its ring before a block reads them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <cueline/link.hpp>
#include <cueline/message.hpp>

namespace cueline {

/// Holds any number of commands, in order. One thread at a time uses it.
class Backlog {
  public:
    /// Takes the commands that wait in `ring`, whose consumer is `commands`. Allocates. If it throws, none is taken.
    void take(CountedRing& ring, Consumer<MessageRing>& commands) {
        ring.note_level();
        if (size() == 0) {
            commands_.clear();
            read_ = 0;
        }
        const std::size_t before = commands_.size();
        commands_.resize(before + ring.messages.size());
        commands_.resize(before + commands.try_pop(std::span{commands_}.subspan(before)));
    }

    /// Whether `wanted` returns true for one of the commands that wait.
    template <class Wanted>
    [[nodiscard]] bool any(Wanted wanted) const {
        return std::any_of(commands_.begin() + static_cast<std::ptrdiff_t>(read_), commands_.end(), wanted);
    }

    [[nodiscard]] std::size_t size() const noexcept { return commands_.size() - read_; }

    /// Takes the oldest commands, as many as there are and fit into `commands`. Returns how many. Wait-free.
    std::size_t try_pop(std::span<Message> commands) noexcept CUELINE_NONBLOCKING {
        const std::size_t count = std::min(commands.size(), size());
        std::copy_n(commands_.begin() + static_cast<std::ptrdiff_t>(read_), count, commands.begin());
        read_ += count;
        return count;
    }

  private:
    std::vector<Message> commands_;
    std::size_t read_ = 0;  // how many of them were popped
};

}  // namespace cueline
