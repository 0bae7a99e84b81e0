// visit.hpp: from a message to its payload, by a list of types, of which none can be forgotten.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <cueline/message.hpp>

namespace cueline {

/// The types of message that somebody knows: structs with a `static constexpr Kind kind`, such as `cueline header`
/// writes and those of message.hpp.
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
    /// Calls `visitor` with the payload, as the type of the list that has the message's kind. It must take every type
    /// of the list, else it does not compile.
    /// Thread: any. Real-time: as `visitor` is: it adds a comparison for each type, and bears no mark, so that clang
    /// judges each use by its `visitor`.
    /// Returns false, having called nothing, when the kind is none of the list's. Throws what `visitor` throws.
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
        if constexpr (takes) {  // else there would be more errors than the one above
            if (message.kind != Type::kind) return false;
            visitor(message.as<Type>());
            return true;
        }
        return false;
    }
};

/// One visitor of several functions: `Overloaded{[](const SetTone&) {...}, [](const NoteOff&) {...}}`.
template <class... Functions>
struct Overloaded : Functions... {  // NOLINT(misc-multiple-inheritance): that is how they become one
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace cueline
