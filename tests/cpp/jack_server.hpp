// jack_server.hpp: a real JACK server without a sound card, for as long as a test needs it.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace cueline::test {

/// Runs `jackd -d dummy` under a name of its own, which JACK_DEFAULT_SERVER gives to this process meanwhile. jackd
/// paces its blocks by the clock, and has two physical ports each way. Throws std::runtime_error where it does not come
/// up.
///
/// One test at a time has one, on the whole machine: others wait. For JACK has room for eight servers' names, and one
/// that was killed keeps its place until another comes under the same name; and two clients of one name, though of two
/// servers, take each other's socket as they open.
class JackServer {
  public:
    explicit JackServer(std::uint32_t blocksize = 128);
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    static constexpr const char* name = "cueline-test";

    /// Ends it as a crash would. Returns when it is gone.
    void kill();

    /// Starts it, under the same name, after kill().
    void start(std::uint32_t blocksize = 128);

  private:
    int lock_;           // the descriptor of a file that other tests find locked
    pid_t process_ = 0;  // none: 0
};

}  // namespace cueline::test
