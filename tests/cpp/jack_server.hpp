// jack_server.hpp: a real JACK server without a sound card, for as long as a test needs it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace cueline::test {

/// Runs `jackd -d dummy` under a name of its own, which JACK_DEFAULT_SERVER gives to this process meanwhile. jackd
/// paces its blocks by the clock, and has two physical ports each way. Throws std::runtime_error where it does not come
/// up.
class JackServer {
  public:
    explicit JackServer(std::uint32_t blocksize = 128);
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }

    /// Ends it as a crash would. Returns when it is gone.
    void kill();

    /// Starts it, under the same name, after kill().
    void start(std::uint32_t blocksize = 128);

  private:
    int name_lock_ = -1;  // a file's descriptor, which other tests see locked while the name is ours
    std::string name_;
    pid_t process_ = 0;  // none: 0
};

}  // namespace cueline::test
