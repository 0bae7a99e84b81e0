// visit.hpp: dispatches a message to a visitor by its type. A visitor that lacks a type does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <cueline/message.hpp>
#include <cueline/outcome.hpp>

namespace cueline {

/// A list of message types: structs with a `static constexpr Kind kind`, such as those that `cueline header` writes and
/// those of cueline itself.
template <class... Types>
class Messages {
    static_assert((std::is_same_v<std::remove_cv_t<decltype(Types::kind)>, Kind> && ...),
                  "a message's type has a static constexpr cueline::Kind kind");
    static_assert(
        [] {
            const std::array<Kind, sizeof...(Types)> kinds{Types::kind...};
            for (std::size_t one = 0; one < kinds.size(); ++one) {
                for (std::size_t other = 0; other < one; ++other) {
                    if (kinds.at(one) == kinds.at(other)) return false;
                }
            }
            return true;
        }(),
        "two types of a list must not have the same kind");

  public:
    /// Calls `visitor` with the payload, as the type with the message's kind, and returns what it returns: an Outcome,
    /// or a bool that becomes one. If it returns nothing for every type, returns whether it was called. If no type has
    /// this kind, calls nothing, and returns Outcome{false} or false. The visitor must take every type of the list, or
    /// it does not compile. Throws what `visitor` throws. It costs one comparison per type. [any thread]
    ///
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `visitor`.
    template <class Visitor>
    static auto visit(const Message& message,
                      Visitor&& visitor) noexcept((std::is_nothrow_invocable_v<Visitor&, const Types&> && ...)) {
        // NOLINTNEXTLINE(misc-const-correctness): visit_as() sets it
        std::conditional_t<(returns_nothing<Types, Visitor> && ...), bool, Outcome> outcome = false;
        (void)(visit_as<Types>(message, visitor, outcome) || ...);
        return outcome;
    }

  private:
    template <class Type, class Visitor>
    static constexpr bool returns_nothing = [] {
        if constexpr (!std::is_invocable_v<Visitor&, const Type&>)
            return true;  // visit_as() refuses it
        else
            return std::is_void_v<std::invoke_result_t<Visitor&, const Type&>>;
    }();

    template <class Type, class Visitor, class Result>
    static bool visit_as(const Message& message, Visitor& visitor,
                         Result& outcome) noexcept(std::is_nothrow_invocable_v<Visitor&, const Type&>) {
        constexpr bool takes = std::is_invocable_v<Visitor&, const Type&>;
        static_assert(takes, "a visitor must take every type of the list: there is one that it does not take");
        if constexpr (takes) {  // otherwise more errors would follow the one above
            if (message.kind != Type::kind) return false;
            if constexpr (returns_nothing<Type, Visitor>) {
                visitor(message.as<Type>());
                outcome = true;
            } else {
                outcome = visitor(message.as<Type>());
            }
            return true;
        }
        return false;
    }
};

/// Makes one visitor of several functions: `Overloaded{[](const SetTone&) {...}, [](const NoteOff&) {...}}`.
template <class... Functions>
struct Overloaded : Functions... {  // NOLINT(misc-multiple-inheritance): this joins their call operators
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace cueline
