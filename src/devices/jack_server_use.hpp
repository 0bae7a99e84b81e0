// jack_server_use.hpp: which JACK server this process uses. libjack crashes if a process uses two.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cueline {

/// While it lives, this process may be a client of one JACK server, and no other server can be used. Our JACK clients
/// hold one, and so does PortAudio, which is a client of the default server if that runs. [control threads, any number]
class JackServerUse {
  public:
    static constexpr std::size_t max_name_bytes = 200;  // libjack aborts at 257

    /// `server` is the server's name. Nothing: the default server, which JACK_DEFAULT_SERVER names. `user` begins the
    /// error: "PortAudio". Throws ArgumentError if the name is too long. Throws NoDeviceError if the name in
    /// JACK_DEFAULT_SERVER is too long, if this process uses another server, or if it was forked while JACK was in use:
    /// libjack would wait for threads that are in the parent.
    JackServerUse(std::string_view user, const std::optional<std::string>& server);
    ~JackServerUse();
    JackServerUse(const JackServerUse&) = delete;
    JackServerUse& operator=(const JackServerUse&) = delete;
};

}  // namespace cueline
