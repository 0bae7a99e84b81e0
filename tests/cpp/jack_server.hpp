// jack_server.hpp: a real JACK server without a sound card, for one test.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace cueline::test {

/// Runs `jackd -d dummy` with a name of its own, and sets JACK_DEFAULT_SERVER to it meanwhile. jackd paces its blocks
/// by the clock, and has two physical ports in each direction. Throws std::runtime_error if it does not start.
///
/// Only one test on the whole machine has a server at a time, and others wait. There are two reasons. JACK has room for
/// eight server names, and a killed server keeps its place until another one takes its name. Two clients with one name
/// take each other's socket as they open, even on two servers.
class JackServer {
  public:
    explicit JackServer(std::uint32_t blocksize = 128);
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    static constexpr const char* name = "cueline-test";

    /// Ends the server as a crash would. Returns when it is gone.
    void kill();

    /// Makes it hang, as a stopped process, until resume() or the end.
    void pause() const;
    void resume() const;

    /// Starts it again after kill(), with the same name.
    void start(std::uint32_t blocksize = 128);

  private:
    int lock_;           // the descriptor of the locked file
    pid_t process_ = 0;  // none: 0
};

}  // namespace cueline::test
