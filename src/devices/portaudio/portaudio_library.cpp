// portaudio_library.cpp: loads, initialises and terminates PortAudio.
#include "devices/portaudio/portaudio_library.hpp"

#include <string>
#include <utility>

#include <cueline/error.hpp>

#include "system/audio_libraries.hpp"
#include "system/quiet_stderr.hpp"
#include "system/shared_library.hpp"

namespace cueline {

namespace {

PortAudioFunctions functions_of(const SharedLibrary& library) {
    PortAudioFunctions functions;
    library.find(functions.initialize, "Pa_Initialize");
    library.find(functions.terminate, "Pa_Terminate");
    library.find(functions.error_text, "Pa_GetErrorText");
    library.find(functions.last_host_error, "Pa_GetLastHostErrorInfo");
    library.find(functions.device_count, "Pa_GetDeviceCount");
    library.find(functions.device_info, "Pa_GetDeviceInfo");
    library.find(functions.default_input, "Pa_GetDefaultInputDevice");
    library.find(functions.default_output, "Pa_GetDefaultOutputDevice");
    library.find(functions.host_api_info, "Pa_GetHostApiInfo");
    library.find(functions.host_api_of_type, "Pa_HostApiTypeIdToHostApiIndex");
    library.find(functions.is_format_supported, "Pa_IsFormatSupported");
    library.find(functions.open_stream, "Pa_OpenStream");
    library.find(functions.stream_info, "Pa_GetStreamInfo");
    library.find(functions.start_stream, "Pa_StartStream");
    library.find(functions.abort_stream, "Pa_AbortStream");
    library.find(functions.close_stream, "Pa_CloseStream");
    library.find(functions.is_stream_active, "Pa_IsStreamActive");
    return functions;
}

PortAudioFunctions load_from_the_system(std::size_t number) {
    // The next call tries again if it throws.
    static const PortAudioFunctions original = functions_of(SharedLibrary{portaudio_library_name()});
    if (number == 0) return original;
    try {
        return functions_of(SharedLibrary::copy_of(original.initialize, portaudio_library_name()));
    } catch (const NoDeviceError& error) {
        throw DeviceError{std::string{"PortAudio does not survive the end of a JACK server, and a fresh copy of it "
                                      "cannot be loaded here ("} +
                          error.what() + "): use device 'jack', or restart the program"};
    }
}

}  // namespace

PortAudioLibrary& PortAudioLibrary::of_the_system() {
    static auto& library =
        *new PortAudioLibrary{&load_from_the_system};  // never freed: threads may outlive static objects
    return library;
}

/// Throws DeviceError in a forked child whose parent was using PortAudio: PortAudio's threads stayed in the parent.
void PortAudioLibrary::require_own_process() {
    const unsigned generation = fork_generation();
    if (generation_ == generation) return;
    // Another thread of this process may have come first. It stores the generation before it counts itself.
    if (users_ != 0 && generation_ != generation) {
        throw DeviceError{
            "this process was forked while PortAudio was in use, and PortAudio does not survive a fork: start a new "
            "process (in Python: multiprocessing.get_context('spawn')), or fork before you use PortAudio"};
    }
    generation_ = generation;
}

PortAudioLibrary::Copy& PortAudioLibrary::copy_in_use() {
    if (copies_.empty() || copies_.back()->given_up) {
        auto copy = std::make_unique<Copy>();
        copy->functions = load_(copies_.size());
        copies_.push_back(std::move(copy));
    }
    return *copies_.back();
}

PortAudioSession::PortAudioSession(PortAudioLibrary& library) : library_{library} {
    library.require_own_process();
    jack_use_.emplace("PortAudio", std::nullopt);
    ++library.users_;
    try {
        const std::scoped_lock lock{library.calling_};
        const SignalsBlocked signals_blocked;
        const QuietStderr quiet;
        copy_ = &library.copy_in_use();
        const PaError error = copy_->functions.initialize();
        if (error != paNoError) {
            throw DeviceError{std::string{"PortAudio failed to initialise: "} + copy_->functions.error_text(error)};
        }
        ++copy_->sessions;
        if (copy_->functions.host_api_of_type(paJACK) < 0) jack_use_.reset();  // it is no client of JACK
    } catch (...) {
        --library.users_;
        throw;
    }
}

PortAudioSession::~PortAudioSession() {
    if (is_the_parents()) return;  // it belongs to the parent
    end();
    if (!given_up_) --library_.users_;
}

void PortAudioSession::end() noexcept {
    const Turn call = turn();
    const QuietStderr quiet;
    if (given_up_) return;
    if (copy_->sessions == 1 && copy_->streamed && !jack_answers()) {
        give_up();
        return;
    }
    call->terminate();  // PortAudio counts sessions: only the last call terminates it
    if (--copy_->sessions == 0) copy_->streamed = false;
}

bool PortAudioSession::jack_answers() const {
    const PortAudioFunctions& call = copy_->functions;
    const QuietStderr quiet;
    const PaHostApiIndex jack = call.host_api_of_type(paJACK);
    if (jack < 0) return true;  // PortAudio is not a client of JACK
    const PaDeviceIndex device = call.host_api_info(jack)->defaultOutputDevice;
    if (device == paNoDevice) return true;  // no device to check with
    PaStreamParameters one_channel{};
    one_channel.device = device;
    one_channel.channelCount = 1;
    one_channel.sampleFormat = paFloat32;
    const auto never_called = [](const void*, void*, unsigned long, const PaStreamCallbackTimeInfo*,
                                 PaStreamCallbackFlags, void*) { return static_cast<int>(paAbort); };
    PaStream* stream = nullptr;
    if (call.open_stream(&stream, nullptr, &one_channel, call.device_info(device)->defaultSampleRate,
                         paFramesPerBufferUnspecified, paNoFlag, never_called, nullptr) != paNoError) {
        return false;
    }
    call.close_stream(stream);
    return true;
}

void PortAudioSession::give_up(std::shared_ptr<const void> kept) noexcept {
    given_up_ = true;
    copy_->given_up = true;
    copy_->kept.push_back(std::move(kept));
}

}  // namespace cueline
