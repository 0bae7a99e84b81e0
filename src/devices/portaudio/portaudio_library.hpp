// portaudio_library.hpp: PortAudio's functions, loaded while the program runs, and the sessions in which we call them.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <portaudio.h>

#include "devices/jack_server_use.hpp"
#include "system/fork_generation.hpp"
#include "system/signals_blocked.hpp"

namespace cueline {

/// The functions of PortAudio that we call. Tests fill in their own.
struct PortAudioFunctions {
    decltype(&Pa_Initialize) initialize = nullptr;
    decltype(&Pa_Terminate) terminate = nullptr;
    decltype(&Pa_GetErrorText) error_text = nullptr;
    decltype(&Pa_GetLastHostErrorInfo) last_host_error = nullptr;
    decltype(&Pa_GetDeviceCount) device_count = nullptr;
    decltype(&Pa_GetDeviceInfo) device_info = nullptr;
    decltype(&Pa_GetDefaultInputDevice) default_input = nullptr;
    decltype(&Pa_GetDefaultOutputDevice) default_output = nullptr;
    decltype(&Pa_GetHostApiInfo) host_api_info = nullptr;
    decltype(&Pa_HostApiTypeIdToHostApiIndex) host_api_of_type = nullptr;
    decltype(&Pa_IsFormatSupported) is_format_supported = nullptr;
    decltype(&Pa_OpenStream) open_stream = nullptr;
    decltype(&Pa_GetStreamInfo) stream_info = nullptr;
    decltype(&Pa_StartStream) start_stream = nullptr;
    decltype(&Pa_AbortStream) abort_stream = nullptr;
    decltype(&Pa_CloseStream) close_stream = nullptr;
    decltype(&Pa_IsStreamActive) is_stream_active = nullptr;
};

/// PortAudio in this process, used through a PortAudioSession. It lives as long as the process. [control threads]
class PortAudioLibrary {
  public:
    /// `load` finds the functions: for number 0 those of the library itself, for each later number those of another
    /// copy.
    explicit PortAudioLibrary(std::function<PortAudioFunctions(std::size_t number)> load) : load_{std::move(load)} {}

    /// PortAudio's library. The first session looks for it: see audio_libraries.hpp.
    static PortAudioLibrary& of_the_system();

  private:
    friend class PortAudioSession;

    /// A copy of the library, with static memory of its own.
    struct Copy {
        PortAudioFunctions functions;
        int sessions = 0;
        bool streamed = false;  ///< a stream has run since the copy was initialised, maybe long ago
        bool given_up = false;
        std::vector<std::shared_ptr<const void>> kept;  ///< memory that its streams may still use
    };

    void require_own_process();
    Copy& copy_in_use();

    std::function<PortAudioFunctions(std::size_t)> load_;
    std::mutex calling_;  // PortAudio is not thread-safe
    std::vector<std::unique_ptr<Copy>> copies_;
    // Raised before calling_ is locked and lowered after it is unlocked: 0 in a forked child means that calling_ is
    // free.
    std::atomic<int> users_ = 0;
    std::atomic<unsigned> generation_ = fork_generation();
};

/// While it lives, PortAudio is initialised, and its list of devices does not change. The end of the last session
/// terminates PortAudio, so that the next session finds what was plugged in meanwhile. [control threads, one at a time]
///
/// PortAudio 19.6 does not survive the end of its JACK server: closing the stream waits ten minutes, and terminating
/// aborts the process. So a session whose server is gone gives up its copy of the library for good, and the next
/// session loads a fresh copy.
class PortAudioSession {
  public:
    /// Throws NoDeviceError if the library is missing, or if this process is a client of a JACK server that is not the
    /// default one; DeviceError if it fails to initialise.
    explicit PortAudioSession(PortAudioLibrary& library);
    ~PortAudioSession();
    PortAudioSession(const PortAudioSession&) = delete;
    PortAudioSession& operator=(const PortAudioSession&) = delete;

    /// The right to call the functions. One thread of the process at a time has a turn. Threads that PortAudio and the
    /// sound system start meanwhile block all signals.
    class Turn {
      public:
        const PortAudioFunctions* operator->() const noexcept { return functions_; }
        const PortAudioFunctions& operator*() const noexcept { return *functions_; }

        /// Whether it has the right. Only a turn of turn_if_free() may have none.
        explicit operator bool() const noexcept { return lock_.owns_lock(); }

      private:
        friend class PortAudioSession;
        Turn(std::unique_lock<std::mutex> lock, const PortAudioFunctions& functions)
            : lock_{std::move(lock)}, functions_{&functions} {}
        std::unique_lock<std::mutex> lock_;
        const PortAudioFunctions* functions_;
        SignalsBlocked signals_blocked_;
    };
    [[nodiscard]] Turn turn() const { return {std::unique_lock{library_.calling_}, copy_->functions}; }

    /// Does not wait for another thread's turn.
    [[nodiscard]] Turn turn_if_free() const {
        return {std::unique_lock{library_.calling_, std::try_to_lock}, copy_->functions};
    }

    // The functions from here to give_up() need a turn.

    [[nodiscard]] const PortAudioFunctions& functions() const noexcept { return copy_->functions; }

    /// Call it when a stream opens: its JACK server may be gone when the session ends.
    void mark_streamed() noexcept { copy_->streamed = true; }

    /// Whether the JACK server still answers PortAudio's client. True if PortAudio has no such client. It opens a
    /// stream, because that is the only harmless check if the server is gone.
    [[nodiscard]] bool jack_answers() const;

    /// Gives up this copy of the library: nothing touches it again. `kept` lives as long as the copy, because a stream
    /// may still use its address.
    void give_up(std::shared_ptr<const void> kept = nullptr) noexcept;

    /// Whether the session began in a parent process, before a fork.
    [[nodiscard]] bool is_the_parents() const noexcept { return generation_ != fork_generation(); }

  private:
    void end() noexcept;

    PortAudioLibrary& library_;
    std::optional<JackServerUse> jack_use_;  // while PortAudio may be a client
    PortAudioLibrary::Copy* copy_ = nullptr;
    bool given_up_ = false;
    unsigned generation_ = fork_generation();
};

}  // namespace cueline
