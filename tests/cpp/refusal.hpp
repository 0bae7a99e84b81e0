// refusal.hpp: the error text of a call.
#pragma once

#include <string>

namespace cueline::test {

/// The text of the `Error` that `call` throws, or "not refused". Other exceptions pass through.
template <class Error, class Call>
std::string refusal(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "not refused";
}

}  // namespace cueline::test
