// portaudio_library.hpp: PortAudio's functions, found as the program runs, and who may call them when.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <portaudio.h>

#include "system/fork_generation.hpp"

namespace cueline {

/// Those of PortAudio's functions that we call. A test fills in its own.
struct PortAudioFunctions {
    decltype(&Pa_Initialize) initialize = nullptr;
    decltype(&Pa_Terminate) terminate = nullptr;
    decltype(&Pa_GetErrorText) error_text = nullptr;
    decltype(&Pa_GetLastHostErrorInfo) last_host_error = nullptr;
    decltype(&Pa_GetDeviceCount) device_count = nullptr;
    decltype(&Pa_GetDeviceInfo) device_info = nullptr;
    decltype(&Pa_GetDefaultOutputDevice) default_output = nullptr;
    decltype(&Pa_GetHostApiInfo) host_api_info = nullptr;
    decltype(&Pa_HostApiTypeIdToHostApiIndex) host_api_of_type = nullptr;
    decltype(&Pa_IsFormatSupported) is_format_supported = nullptr;
    decltype(&Pa_OpenStream) open_stream = nullptr;
    decltype(&Pa_StartStream) start_stream = nullptr;
    decltype(&Pa_AbortStream) abort_stream = nullptr;
    decltype(&Pa_CloseStream) close_stream = nullptr;
    decltype(&Pa_IsStreamActive) is_stream_active = nullptr;
};

/// PortAudio in this process, used through a PortAudioSession. It lives as long as the process.
class PortAudioLibrary {
  public:
    /// `load` finds the functions: number 0 of the library itself, and each one after it of another copy of it.
    explicit PortAudioLibrary(std::function<PortAudioFunctions(std::size_t number)> load) : load_{std::move(load)} {}

    /// libportaudio.so.2, looked for when the first session begins. Thread: control, any.
    static PortAudioLibrary& of_the_system();

  private:
    friend class PortAudioSession;

    /// One copy of the library, with static memory of its own.
    struct Copy {
        PortAudioFunctions functions;
        int sessions = 0;
        bool streamed = false;  ///< a stream ran since it was initialised: that may be long ago
        bool given_up = false;
        std::vector<std::shared_ptr<const void>> kept;  ///< what streams of it have the address of
    };

    void require_own_process();
    Copy& copy_in_use();

    std::function<PortAudioFunctions(std::size_t)> load_;
    std::mutex calling_;  // PortAudio is not thread-safe
    std::vector<std::unique_ptr<Copy>> copies_;
    std::atomic<int> users_ =
        0;  // raised before calling_ is taken, lowered after: 0 in a forked child means that it is free
    std::atomic<unsigned> generation_ = fork_generation();
};

/// While it lives, PortAudio is initialised, and its list of devices stays as it is. With the last one PortAudio ends,
/// so that the next one sees what was plugged in meanwhile.
///
/// PortAudio 19.6 does not survive the end of a JACK server that it is a client of: closing the stream waits ten
/// minutes, and terminating aborts the process. So a session whose server is gone is given up: its copy of the library
/// is left as it is for good, and the next session has a fresh copy. Thread: control, one at a time.
class PortAudioSession {
  public:
    /// Throws NoDeviceError where the library is missing, DeviceError when it cannot begin.
    explicit PortAudioSession(PortAudioLibrary& library);
    ~PortAudioSession();
    PortAudioSession(const PortAudioSession&) = delete;
    PortAudioSession& operator=(const PortAudioSession&) = delete;

    /// The only way to the functions, and only one thread of the process has one.
    class Turn {
      public:
        const PortAudioFunctions* operator->() const noexcept { return functions_; }
        const PortAudioFunctions& operator*() const noexcept { return *functions_; }

      private:
        friend class PortAudioSession;
        Turn(std::mutex& calling, const PortAudioFunctions& functions) : lock_{calling}, functions_{&functions} {}
        std::unique_lock<std::mutex> lock_;
        const PortAudioFunctions* functions_;
    };
    [[nodiscard]] Turn turn() const { return {library_.calling_, copy_->functions}; }

    // These are for who has a turn.

    [[nodiscard]] const PortAudioFunctions& functions() const noexcept { return copy_->functions; }

    /// Says that a stream runs: when that has ended, a JACK server may be gone.
    void note_stream() noexcept { copy_->streamed = true; }

    /// Whether PortAudio's client, where it is one, still has its JACK server. There is one way to ask that does no
    /// harm when it has not: to open a stream.
    [[nodiscard]] bool jack_answers() const;

    /// Touches this copy of the library no more. `kept` lives as long as the copy: a stream may still have its address.
    void give_up(std::shared_ptr<const void> kept = nullptr) noexcept;

    /// Whether this process is a fork of the one that began the session.
    [[nodiscard]] bool is_the_parents() const noexcept { return generation_ != fork_generation(); }

  private:
    void end() noexcept;

    PortAudioLibrary& library_;
    PortAudioLibrary::Copy* copy_ = nullptr;
    bool given_up_ = false;
    unsigned generation_ = fork_generation();
};

}  // namespace cueline
