// client.hpp: a JACK client that its owner's destruction closes.
#pragma once

#include <jack/jack.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace cueline::stall {

struct CloseClient {
    void operator()(jack_client_t* client) const noexcept { jack_client_close(client); }
};
using Client = std::unique_ptr<jack_client_t, CloseClient>;

/// Joins the running server that JACK_DEFAULT_SERVER names. Throws if there is none.
inline Client open_client(const std::string& name) {
    Client client{jack_client_open(name.c_str(), JackNoStartServer, nullptr)};
    if (!client) throw std::runtime_error{"no JACK server takes the client '" + name + "': JACK_DEFAULT_SERVER?"};
    return client;
}

inline jack_port_t* open_port(jack_client_t* client, const char* name, JackPortFlags direction,
                              const char* type = JACK_DEFAULT_AUDIO_TYPE) {
    jack_port_t* port = jack_port_register(client, name, type, direction, 0);
    if (port == nullptr) throw std::runtime_error{std::string{"JACK gave no port '"} + name + "'"};
    return port;
}

/// Runs `object.process()` on JACK's thread, once per cycle, until it is destroyed or stopped. Make it the last member
/// of `object`, so that it is destroyed before all that process() uses.
class Active {
  public:
    template <class Object>
    Active(jack_client_t* client, Object& object) : client_{client} {
        const auto process = [](jack_nframes_t, void* self) -> int {
            static_cast<Object*>(self)->process();
            return 0;
        };
        if (jack_set_process_callback(client, process, &object) != 0 || jack_activate(client) != 0)
            throw std::runtime_error{"JACK did not activate a client"};
    }

    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;
    ~Active() { stop(); }

    void stop() noexcept { jack_deactivate(client_); }

  private:
    jack_client_t* client_;
};

}  // namespace cueline::stall
