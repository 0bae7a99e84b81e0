// module.cpp: the Python module: a new processor, and a thread that triggers pads.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/python.hpp>

#include "looper_processor.hpp"

namespace nb = nanobind;

namespace {

/// Stands for a MIDI input, on a line of its own. It never takes the GIL.
class MidiThread {
  public:
    using Note = std::pair<std::uint64_t, std::uint32_t>;  // the frame and the pad

    MidiThread(std::unique_ptr<cueline::OfferedLine> line, std::vector<Note> notes, std::uint32_t grid)
        : line_{std::move(line)}, notes_{std::move(notes)}, grid_{grid}, thread_{[this](const std::stop_token& over) {
              for (const Note& note : notes_) {
                  if (!sent(note, over)) return;
                  ++sent_;
              }
          }} {}

    /// Waits until all notes are sent, and returns how many were. It holds the GIL, which the thread does not need.
    std::size_t join() {
        if (thread_.joinable()) thread_.join();
        return sent_;
    }

  private:
    bool sent(const Note& note, const std::stop_token& over) const {
        while (!over.stop_requested()) {
            const auto became =
                line_->try_send(looper::Trigger{.pad = note.second, .grid = grid_}, {.frame = note.first});
            if (became != cueline::Sent::full) return became == cueline::Sent::ok;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        return false;
    }

    std::unique_ptr<cueline::OfferedLine> line_;
    std::vector<Note> notes_;
    std::uint32_t grid_;
    std::size_t sent_ = 0;
    std::jthread thread_;  // the last member: its destructor ends it before the others go
};

}  // namespace

NB_MODULE(_looper, module) {
    module.def(
        "processor",
        [] {
            auto capsule = nb::steal(cueline::processor_capsule(std::make_shared<looper::LooperProcessor>(), "looper"));
            if (!capsule.is_valid()) throw nb::python_error{};
            return capsule;
        },
        "Return a new processor, for cueline.AudioEngine(processor=...).");
    nb::class_<MidiThread>(module, "MidiThread", "A thread in C++ that sends a trigger for each note.")
        .def("join", &MidiThread::join, "Wait until all notes are sent, and return how many were.");
    module.def(
        "midi_thread",
        [](nb::handle engine, std::vector<MidiThread::Note> notes, std::uint32_t grid) {
            auto line = cueline::open_offered_line(engine.ptr());
            if (line == nullptr) throw nb::python_error{};
            return std::make_unique<MidiThread>(std::move(line), std::move(notes), grid);
        },
        nb::arg("engine"), nb::arg("notes"), nb::arg("grid") = 0,
        "Start a thread that triggers pads on a line of its own: each note is a frame and a pad.");
}
