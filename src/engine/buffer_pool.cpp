// buffer_pool.cpp: copies samples, hands out handles, and frees buffers that came back.
#include "engine/buffer_pool.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <cueline/error.hpp>

namespace cueline {

LockedSamples::LockedSamples(std::span<const float> from) : pages_{from.size_bytes()} {
    std::memcpy(pages_.bytes().data(), from.data(), from.size_bytes());
    samples_ = {reinterpret_cast<const float*>(pages_.bytes().data()), from.size()};
}

PendingBuffer::PendingBuffer() noexcept = default;

PendingBuffer::PendingBuffer(PendingBuffer&& other) noexcept
    : pool_{std::exchange(other.pool_, nullptr)},
      handle_{other.handle_},
      channels_{other.channels_},
      samples_{std::move(other.samples_)} {}

PendingBuffer& PendingBuffer::operator=(PendingBuffer&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(handle_, other.handle_);
    std::swap(channels_, other.channels_);
    std::swap(samples_, other.samples_);
    return *this;
}

PendingBuffer::~PendingBuffer() {
    if (pool_ == nullptr) return;
    const std::scoped_lock lock{pool_->mutex_};
    pool_->handles_.give_back(handle_);
}

BufferPool::BufferPool(std::uint32_t slots, std::uint32_t loaded, BufferSlots::Table::Returns& returns,
                       std::uint32_t hand_over)
    : returns_{&returns},
      entries_{max_buffers(slots) + loaded},
      return_cells_{entries_.size() == 0 ? 0 : BufferSlots::Table::return_places(entries_.size())},
      slots_{slots},
      handles_{table_, hand_over},
      samples_(entries_.size()),
      last_hand_over_{hand_over - 1} {}

PendingBuffer BufferPool::make(std::span<const float> interleaved, std::uint32_t channels) {
    Freed freed;
    PendingBuffer buffer;
    {
        const std::scoped_lock lock{mutex_};
        freed = collect_locked();
        const auto handle = handles_.take();
        if (!handle) return buffer;
        buffer.handle_ = *handle;
        buffer.pool_ = this;
    }
    freed.clear();  // frees now, so that the next allocation can reuse the memory
    buffer.channels_ = channels;
    buffer.samples_ = std::make_unique<LockedSamples>(interleaved);
    return buffer;
}

BufferHandle BufferPool::hand_over(PendingBuffer buffer) {
    const std::span<const float> samples = buffer.samples_->samples();
    const std::unique_lock lock{mutex_};
    if (closed_) {
        throw ClosedError{"this engine is closed: make a new one"};
    }
    const BufferHandle handle = buffer.handle_;
    table_[handle] = Buffer{.interleaved = samples,
                            .frames = static_cast<std::uint32_t>(samples.size() / buffer.channels_),
                            .channels = buffer.channels_,
                            .serial = ++serial_};
    table_.offer(handle);
    last_hand_over_ = std::max(last_hand_over_, hand_over_of(handle));
    samples_[place_of(handle)] = std::move(buffer.samples_);
    buffer.pool_ = nullptr;
    return handle;
}

void BufferPool::count_refused() {
    const std::scoped_lock lock{mutex_};
    ++refused_;
}

void BufferPool::collect() {
    Freed freed;  // its destructor frees after the lock
    const std::scoped_lock lock{mutex_};
    freed = collect_locked();
}

std::uint32_t BufferPool::close() {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    for (BufferHandle place = 0; place < samples_.size(); ++place) {
        if (samples_[place] == nullptr) continue;
        clear_locked(place);
        handles_.give_back(place);
    }
    return hand_over_of(handle_after(first_handle(0, last_hand_over_)));
}

BufferStats BufferPool::stats() {
    collect();
    const std::scoped_lock lock{mutex_};
    BufferStats stats{.published = serial_,
                      .refused = refused_,
                      .in_use = static_cast<std::uint32_t>(handles_.taken()),
                      .limit = static_cast<std::uint32_t>(samples_.size())};
    for (const auto& samples : samples_) {
        if (samples == nullptr) continue;
        stats.bytes += samples->bytes();
        if (samples->locked()) stats.bytes_locked += samples->bytes();
        stats.memory_locked = stats.memory_locked && samples->locked();
    }
    return stats;
}

/// What comes back meanwhile waits for the next call.
BufferPool::Freed BufferPool::collect_locked() {
    Freed freed;
    const std::size_t returned = handles_.returned();
    freed.reserve(returned);  // so that nothing is allocated, and nothing thrown, below
    handles_.collect(returned, [&](BufferHandle handle) noexcept { freed.push_back(clear_locked(handle)); });
    return freed;
}

std::unique_ptr<LockedSamples> BufferPool::clear_locked(BufferHandle handle) noexcept {
    table_[handle] = {};
    return std::move(samples_[place_of(handle)]);
}

}  // namespace cueline
