// fake_portaudio.cpp: the functions of the fake PortAudio.
#include <algorithm>
#include <chrono>
#include <semaphore>
#include <stop_token>
#include <thread>

#include "fake_portaudio.hpp"

namespace cueline::test {

namespace {

FakePortAudio* now = nullptr;

/// Counts calls that overlap. PortAudio leaves that to its callers.
class Call {
  public:
    Call() {
        if (under_way_++ > 0) ++now->overlaps;
        std::this_thread::sleep_for(std::chrono::microseconds{20});  // so that another call can overlap
    }
    ~Call() { --under_way_; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

  private:
    static inline std::atomic<int> under_way_ = 0;
};

PaHostApiIndex host_api_called(const std::string& name) {
    const auto found =
        std::ranges::find_if(now->host_apis, [&](const PaHostApiInfo& info) { return info.name == name; });
    return found == now->host_apis.end() ? paHostApiNotFound : static_cast<int>(found - now->host_apis.begin());
}

void read_devices() {
    now->host_apis.clear();
    now->device_infos.clear();
    for (const FakePortAudio::Card& device : now->devices) {
        if (host_api_called(device.host_api) < 0) {
            PaHostApiInfo api{};
            api.type = device.host_api == "JACK" ? paJACK : paALSA;
            api.name = device.host_api.c_str();
            api.defaultOutputDevice = static_cast<PaDeviceIndex>(now->device_infos.size());
            now->host_apis.push_back(api);
        }
        PaDeviceInfo info{};
        info.name = device.name.c_str();
        info.hostApi = host_api_called(device.host_api);
        info.maxInputChannels = device.inputs;
        info.maxOutputChannels = device.outputs;
        info.defaultLowInputLatency = 0.015;
        info.defaultHighInputLatency = 0.05;
        info.defaultLowOutputLatency = 0.01;
        info.defaultHighOutputLatency = 0.04;
        info.defaultSampleRate = device.samplerate;
        now->device_infos.push_back(info);
    }
}

PaError initialize() {
    const Call call;
    if (now->initialized++ == 0) read_devices();
    return paNoError;
}

PaError terminate() {
    const Call call;
    --now->initialized;
    return paNoError;
}

PaDeviceIndex first_with(int PaDeviceInfo::* channels) {
    const auto has = [&](const PaDeviceInfo& info) { return info.*channels > 0; };
    const auto found = std::ranges::find_if(now->device_infos, has);
    return found == now->device_infos.end() ? paNoDevice : static_cast<int>(found - now->device_infos.begin());
}

PaError open_stream(PaStream** stream, const PaStreamParameters* input, const PaStreamParameters* output,
                    double samplerate, unsigned long blocksize, PaStreamFlags, PaStreamCallback* callback,
                    void* user_data) {
    const Call call;
    if (now->open_error != paNoError) return now->open_error;
    ++now->open_streams;
    *stream = &now->streams.emplace_back();
    if (blocksize == paFramesPerBufferUnspecified) return paNoError;  // only a check whether JACK is there
    now->input_device = input == nullptr ? paNoDevice : input->device;
    now->input_channels = input == nullptr ? 0 : input->channelCount;
    now->device = output == nullptr ? paNoDevice : output->device;
    now->channels = output == nullptr ? 0 : output->channelCount;
    const PaStreamParameters* const either = output == nullptr ? input : output;
    now->latency = either == nullptr ? 0 : either->suggestedLatency;
    now->samplerate = samplerate;
    now->blocksize = blocksize;
    now->callback = callback;
    now->user_data = user_data;
    return paNoError;
}

PaError start_stream(PaStream* stream) {
    const Call call;
    if (now->start_error != paNoError) return now->start_error;
    now->active = true;
    if (!now->calls_at_once) return paNoError;
    std::binary_semaphore played{0};
    *static_cast<std::jthread*>(stream) = std::jthread{[&played](const std::stop_token& closed) {
        now->play();
        std::binary_semaphore until{0};
        const std::stop_callback close{closed, [&until] { until.release(); }};
        played.release();
        until.acquire();
    }};
    played.acquire();
    return paNoError;
}

PaError abort_stream(PaStream*) {
    const Call call;
    now->active = false;
    return paNoError;
}

PaError close_stream(PaStream* stream) {
    const Call call;
    now->streams.remove_if([stream](const std::jthread& one) { return &one == stream; });
    --now->open_streams;
    return paNoError;
}

const PaHostErrorInfo* last_host_error() {
    static const PaHostErrorInfo info{paALSA, -5, "the plug is loose"};
    return &info;
}

PortAudioFunctions functions() {
    return {.initialize = &initialize,
            .terminate = &terminate,
            .error_text = [](PaError) { return "a word of PortAudio's"; },
            .last_host_error = &last_host_error,
            .device_count = [] { return static_cast<PaDeviceIndex>(now->device_infos.size()); },
            .device_info = [](PaDeviceIndex index) -> const PaDeviceInfo* {
                return &now->device_infos.at(static_cast<std::size_t>(index));
            },
            .default_input = [] { return first_with(&PaDeviceInfo::maxInputChannels); },
            .default_output = [] { return first_with(&PaDeviceInfo::maxOutputChannels); },
            .host_api_info = [](PaHostApiIndex index) -> const PaHostApiInfo* {
                return &now->host_apis.at(static_cast<std::size_t>(index));
            },
            .host_api_of_type = [](PaHostApiTypeId) { return host_api_called("JACK"); },
            .is_format_supported = [](const PaStreamParameters*, const PaStreamParameters*,
                                      double) { return now->format_error; },
            .open_stream = &open_stream,
            .stream_info = [](PaStream*) -> const PaStreamInfo* { return &now->stream_info; },
            .start_stream = &start_stream,
            .abort_stream = &abort_stream,
            .close_stream = &close_stream,
            .is_stream_active = [](PaStream*) -> PaError { return now->active ? 1 : 0; }};
}

}  // namespace

FakePortAudio::FakePortAudio(std::vector<Card> there)
    : devices{std::move(there)}, library_{std::make_unique<PortAudioLibrary>([this](std::size_t) {
          ++copies;
          initialized = 0;  // a copy has its own memory
          return functions();
      })} {
    now = this;
}

FakePortAudio::~FakePortAudio() {
    streams.clear();
    now = nullptr;
}

std::vector<std::vector<float>> FakePortAudio::play_all(PaStreamCallbackFlags flags, std::size_t frames) const {
    std::vector<std::vector<float>> recorded;
    std::vector<const float*> inputs;
    for (int number = 1; number <= input_channels; ++number) {
        recorded.emplace_back(frames, static_cast<float>(number) / 8);
        inputs.push_back(recorded.back().data());
    }
    std::vector<std::vector<float>> samples(static_cast<std::size_t>(channels), std::vector<float>(frames, 0.5F));
    std::vector<float*> outputs;
    for (std::vector<float>& channel : samples) outputs.push_back(channel.data());
    const PaStreamCallbackTimeInfo time{};
    callback(inputs.empty() || !has_input ? nullptr : static_cast<const void*>(inputs.data()),
             outputs.empty() ? nullptr : static_cast<void*>(outputs.data()), frames, &time, flags, user_data);
    if (samples.empty()) samples.emplace_back();
    return samples;
}

}  // namespace cueline::test
