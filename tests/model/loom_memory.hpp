// loom_memory.hpp: a memory policy on loom. Each access goes to src/memory.rs with its order and its place in the
// header.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <tuple>
#include <utility>
#include <vector>

namespace cueline::model {

/// The end that the running thread has. Some mutants break only one of them.
enum class Role : std::uint8_t { none = 0, producer = 1, consumer = 2, heir = 3 };  // an heir takes over an end

// Functions of src/memory.rs. They throw (a Rust panic) when loom finds something or abandons an execution.
extern "C" {
void* loom_atomic_new(std::uint64_t value);
void loom_atomic_free(void* atomic);
std::uint64_t loom_atomic_load(void* atomic, int order, const char* file, std::uint32_t line, std::uint32_t column);
void loom_atomic_store(void* atomic, std::uint64_t value, int order, const char* file, std::uint32_t line,
                       std::uint32_t column);
std::uint64_t loom_atomic_exchange(void* atomic, std::uint64_t value, int order, const char* file, std::uint32_t line,
                                   std::uint32_t column);
bool loom_atomic_compare_exchange(void* atomic, std::uint64_t* expected, std::uint64_t desired, int order, int refused,
                                  const char* file, std::uint32_t line, std::uint32_t column);
std::uint64_t loom_atomic_fetch_or(void* atomic, std::uint64_t bits, int order, const char* file, std::uint32_t line,
                                   std::uint32_t column);
void* loom_cell_new();
void loom_cell_free(void* cell);
void loom_cell_write(void* cell);
void loom_cell_read(void* cell);
bool loom_cells_are_words();
bool loom_stores_come_early(Role role);
bool loom_hands_over_wrong(std::uint8_t how);
bool loom_relaxed_stores_come_late();
bool loom_relaxed_stores_are_lost();
bool loom_stores_are_swapped(Role role);
void loom_set_role(Role role);
Role loom_role();
}

/// What a mutant delays until after the next store: the producer's writes to slots, the consumer's reads of slots, or
/// relaxed stores, or the first of two stores.
inline std::vector<std::function<void()>> delayed[4];

inline void do_delayed(Role role) {
    for (const auto& act : std::exchange(delayed[static_cast<int>(role)], {})) act();
}

/// An end whose owner dies before one of its accesses to the ring.
struct Died {};
inline Role mortal = Role::none;
inline std::uint64_t accesses_left = 0;

inline void count_access() {
    if (mortal == Role::none || loom_role() != mortal) return;
    if (accesses_left == 0) throw Died{};
    --accesses_left;
}

struct LoomMemory {
    static constexpr bool never_throws = false;

    /// A word that threads share. Each access passes its place in the header, so that a mutant can weaken one order
    /// alone.
    template <class Value>
    class Atomic {
        using Where = std::source_location;

      public:
        explicit Atomic(Value value) : handle_{loom_atomic_new(value)} {}
        Atomic(const Atomic&) = delete;
        Atomic& operator=(const Atomic&) = delete;
        ~Atomic() { loom_atomic_free(handle_); }

        Value load(std::memory_order order, Where where = Where::current()) const {
            count_access();
            return static_cast<Value>(
                loom_atomic_load(handle_, static_cast<int>(order), where.file_name(), where.line(), where.column()));
        }
        void store(Value value, std::memory_order order, Where where = Where::current()) {
            count_access();
            const Role role = loom_role();
            if (role == Role::heir && order == std::memory_order_relaxed && loom_relaxed_stores_are_lost()) return;
            const auto act = [this, value, order, where] {
                loom_atomic_store(handle_, value, static_cast<int>(order), where.file_name(), where.line(),
                                  where.column());
            };
            if (role != Role::none && order == std::memory_order_relaxed && loom_relaxed_stores_come_late()) {
                delayed[static_cast<int>(role)].push_back(act);
                return;
            }
            if (loom_stores_are_swapped(role) && delayed[static_cast<int>(role)].empty()) {
                delayed[static_cast<int>(role)].push_back(act);
                return;
            }
            act();
            do_delayed(role);
        }
        Value exchange(Value value, std::memory_order order, Where where = Where::current()) {
            const std::uint64_t found = loom_atomic_exchange(handle_, value, static_cast<int>(order), where.file_name(),
                                                             where.line(), where.column());
            do_delayed(loom_role());
            return static_cast<Value>(found);
        }
        Value fetch_or(Value bits, std::memory_order order, Where where = Where::current()) {
            count_access();
            const std::uint64_t found = loom_atomic_fetch_or(handle_, bits, static_cast<int>(order), where.file_name(),
                                                             where.line(), where.column());
            do_delayed(loom_role());
            return static_cast<Value>(found);
        }
        bool compare_exchange_strong(Value& expected, Value desired, std::memory_order order, std::memory_order refused,
                                     Where where = Where::current()) {
            std::uint64_t found = expected;
            const bool exchanged = loom_atomic_compare_exchange(handle_, &found, desired, static_cast<int>(order),
                                                                static_cast<int>(refused), where.file_name(),
                                                                where.line(), where.column());
            expected = static_cast<Value>(found);
            return exchanged;
        }

      private:
        void* handle_;
    };

    /// A slot. loom reports two accesses that nothing orders. For some mutants, only the messages may show the fault:
    /// then the slot is a row of relaxed words, about which loom reports nothing.
    template <class T>
    class Cell {
        static_assert(sizeof(T) % sizeof(std::uint64_t) == 0);
        using Words = std::array<std::uint64_t, sizeof(T) / sizeof(std::uint64_t)>;

      public:
        Cell() : handle_{loom_cell_new()} {
            if (!loom_cells_are_words()) return;
            for (void*& word : words_) word = loom_atomic_new(0);
        }
        Cell(const Cell&) = delete;
        Cell& operator=(const Cell&) = delete;
        ~Cell() {
            loom_cell_free(handle_);
            for (void* word : words_) {
                if (word != nullptr) loom_atomic_free(word);
            }
        }

        void write(const T& value) {
            count_access();
            act_or_delay(Role::producer, [this, value] {
                if (loom_cells_are_words()) {
                    const auto words = std::bit_cast<Words>(value);
                    for (std::size_t index = 0; index < words.size(); ++index) {
                        loom_atomic_store(words_[index], words[index], relaxed, "", 0, 0);
                    }
                } else {
                    loom_cell_write(handle_);
                    value_ = value;
                }
            });
        }
        template <class Fill>
        bool write_in_place(Fill& fill) {
            T value{};
            if (!fill(value)) return false;
            write(value);
            return true;
        }
        template <class Reader>
        void read(Reader& reader) const {
            count_access();
            act_or_delay(Role::consumer, [this, reader]() mutable {
                if (loom_cells_are_words()) {
                    Words words;
                    for (std::size_t index = 0; index < words.size(); ++index) {
                        words[index] = loom_atomic_load(words_[index], relaxed, "", 0, 0);
                    }
                    reader(std::bit_cast<T>(words));
                } else {
                    loom_cell_read(handle_);
                    reader(value_);
                }
            });
        }

      private:
        static constexpr int relaxed = static_cast<int>(std::memory_order_relaxed);

        template <std::invocable Act>
        static void act_or_delay(Role role, Act act) {
            if (loom_stores_come_early(role)) {
                delayed[static_cast<int>(role)].push_back(act);
            } else {
                act();
            }
        }

        void* handle_;
        T value_{};
        std::array<void*, std::tuple_size_v<Words>> words_{};
    };
};

}  // namespace cueline::model
