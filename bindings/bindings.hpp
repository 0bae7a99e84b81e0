// bindings.hpp: the functions that put cueline's types and functions into the module, one for each concept.
#pragma once

#include <nanobind/nanobind.h>

namespace cueline::python {

/// Status, Message, and the functions that create message types.
void bind_messages(nanobind::module_& module);

/// The functions that turn MIDI's bytes into messages, and back. Call bind_messages() first.
void bind_midi(nanobind::module_& module);

/// DeviceRequest, DeviceInfo, DeviceList and list_devices().
void bind_devices(nanobind::module_& module);

/// Sender and Line.
void bind_senders(nanobind::module_& module);

/// Parameters, ParameterArray and Meters.
void bind_processor_controls(nanobind::module_& module);

/// Playback and Recording. Call bind_senders() first.
void bind_streams(nanobind::module_& module);

/// RingStats, CueStats, BufferStats, MidiStats and EngineStats.
void bind_stats(nanobind::module_& module);

/// MusicalTime and TimelineSnapshot.
void bind_timeline(nanobind::module_& module);

/// Score and PlayingSequence. Call bind_senders() first.
void bind_sequences(nanobind::module_& module);

/// The function that makes a processor of C functions.
void bind_processors(nanobind::module_& module);

/// Engine. Call bind_senders() first: Engine derives from Sender.
void bind_engine(nanobind::module_& module);

/// _Baseline, for benchmarks.
void bind_baseline(nanobind::module_& module);

/// Adds `Types` to `module`. A type is bound once per process and lives as long as the process. If a program removes
/// cueline from sys.modules and imports it again, the new module gets the types that exist.
template <class... Types>
void bind_once(nanobind::module_& module, void (*bind_types)(nanobind::module_&)) {
    namespace nb = nanobind;
    if ((nb::type<Types>().is_valid() && ...)) {
        ((module.attr(nb::type<Types>().attr("__name__")) = nb::type<Types>()), ...);
        return;
    }
    bind_types(module);
    (nb::type<Types>().inc_ref(), ...);
}

}  // namespace cueline::python
