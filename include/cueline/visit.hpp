// visit.hpp: dispatches a message to a visitor by its type. A visitor that lacks a type does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <cueline/message.hpp>

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
    /// Calls `visitor` with the payload, as the type with the message's kind. The visitor must take every type of the
    /// list, or it does not compile. Returns false, and calls nothing, if no type has this kind. Throws what `visitor`
    /// throws. It costs one comparison per type. [any thread]
    ///
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `visitor`.
    template <class Visitor>
    static bool visit(const Message& message,
                      Visitor&& visitor) noexcept((std::is_nothrow_invocable_v<Visitor&, const Types&> && ...)) {
        return (visit_as<Types>(message, visitor) || ...);
    }

  private:
    template <class Type, class Visitor>
    static bool visit_as(const Message& message,
                         Visitor& visitor) noexcept(std::is_nothrow_invocable_v<Visitor&, const Type&>) {
        constexpr bool takes = std::is_invocable_v<Visitor&, const Type&>;
        static_assert(takes, "a visitor must take every type of the list: there is one that it does not take");
        if constexpr (takes) {  // otherwise more errors would follow the one above
            if (message.kind != Type::kind) return false;
            visitor(message.as<Type>());
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
