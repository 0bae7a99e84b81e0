// refusal.hpp: what a call says when it refuses.
#pragma once

#include <string>

namespace cueline::test {

/// The text of the `Error` that `call` throws, or "not refused". Any other error goes through.
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
