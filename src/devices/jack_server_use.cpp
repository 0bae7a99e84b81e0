// jack_server_use.cpp: counts the users of the one server.
#include "devices/jack_server_use.hpp"

#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <utility>

#include <cueline/error.hpp>

#include "system/fork_generation.hpp"

namespace cueline {

namespace {

/// The one server of this process. Never freed: threads may outlive static objects. A fork may come while the lock is
/// held, but libjack holds a lock of its own for longer.
struct Server {
    std::mutex changing;
    std::string name;
    std::size_t users = 0;
    unsigned generation = 0;  // of the process that they are in
};

Server& used() {
    static auto& server = *new Server;
    return server;
}

std::string name_of(const std::optional<std::string>& server) {
    const std::string limit = " must be at most " + std::to_string(JackServerUse::max_name_bytes) + " bytes, got ";
    if (server) {
        if (server->size() <= JackServerUse::max_name_bytes) return *server;
        throw ArgumentError{"server" + limit + std::to_string(server->size()) +
                            " (a letter that is not ASCII has two to four)"};
    }
    const char* const named =
        std::getenv("JACK_DEFAULT_SERVER");  // NOLINT(concurrency-mt-unsafe): libjack reads it too
    std::string name = named == nullptr ? "default" : named;
    if (name.size() <= JackServerUse::max_name_bytes) return name;
    throw NoDeviceError{"the name in the environment variable JACK_DEFAULT_SERVER" + limit +
                        std::to_string(name.size()) + ": set it to a server's name, or unset it"};
}

}  // namespace

JackServerUse::JackServerUse(std::string_view user, const std::optional<std::string>& server) {
    std::string name = name_of(server);
    Server& current = used();
    const std::scoped_lock lock{current.changing};
    if (current.users > 0 && current.generation != fork_generation()) {
        throw NoDeviceError{std::string{user} +
                            " cannot be used here: this process was forked while JACK was in use, and JACK does not "
                            "survive a fork: start a new process (in Python: multiprocessing.get_context('spawn')), or "
                            "fork before you use JACK"};
    }
    if (current.users > 0 && current.name != name) {
        throw NoDeviceError{std::string{user} + " uses the JACK server '" + name +
                            "', and this process is a client of the server '" + current.name +
                            "'; libjack crashes if a process uses two: stop the engines on '" + current.name +
                            "' first, or use one process for each server" +
                            (server ? "" : ", or set JACK_DEFAULT_SERVER=" + current.name)};
    }
    current.name = std::move(name);
    current.generation = fork_generation();
    ++current.users;
}

JackServerUse::~JackServerUse() {
    Server& current = used();
    const std::scoped_lock lock{current.changing};
    if (current.generation == fork_generation()) --current.users;  // in a child, the parent's still count
}

}  // namespace cueline
