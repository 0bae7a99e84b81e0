"""A MIDI controller plays four sounds, and its knob moves the gain, all on the audio thread. JSON holds the maps.

Without arguments it plays a bar by itself, offline. `python midi_controller.py live` opens a device, learns a knob, and
plays what you play.
"""

import json
import sys

import numpy as np

import cueline

SOUNDS = ("kick", "snare", "hat", "click")


def prepare(engine: cueline.AudioEngine, knob: cueline.Message) -> None:
    """Put the sounds into slots, and map pads 36 to 39 and the knob."""
    for slot, name in enumerate(SOUNDS):
        engine.publish(slot, 0.4 * getattr(cueline.sounds, name)(engine.samplerate))
        engine.midi.map(cueline.NoteOn(36 + slot), slot, omni=True)
    engine.midi.map(knob, "gain", low=0.05, high=1, curve="exponential")


def play_a_bar() -> np.ndarray:
    """Return a bar, played by messages that a controller could send."""
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        prepare(engine, cueline.ControlChange(7))
        eighth = engine.samplerate // 4
        for step, pad in enumerate((36, 38, 37, 38, 36, 38, 37, 39)):
            engine.send(cueline.NoteOn(pad, 127 - 8 * step), at=step * eighth + 1)
        engine.send(cueline.ControlChange(7, 64), at=4 * eighth + 1)
        saved = json.dumps([each.recipe() for each in engine.midi.maps])
        for each in json.loads(saved):  # a saved map replaces the one that it was saved from
            engine.midi.map(cueline.MidiMap.from_recipe(each))
        audio = engine.render(8 * eighth)
        print(len(engine.midi.maps), "maps; the gain at the end is", round(engine.parameters["gain"], 3))
        return audio


if __name__ == "__main__":
    if sys.argv[1:] == ["live"]:
        with cueline.AudioEngine(processor="player", midi_inputs=1) as engine:
            print("These send MIDI:", *engine.midi.inputs(), sep="\n  ")
            print("Move the knob for the gain.")
            prepare(engine, engine.midi.learn(timeout=60).result())
            input("Play pads 36 to 39. Enter ends.\n")
    else:
        audio = play_a_bar()
        print(f"{len(audio)} frames, with a peak of {np.abs(audio).max():.2f}")
