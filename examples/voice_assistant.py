"""A voice assistant's loop: listens at 16 kHz, speaks at 24 kHz, stops at once when somebody speaks. Offline, and live.

The two voices in the folder ``speech``, of a person and of a speech synthesis, were made with eSpeak NG.
"""

import sys
from pathlib import Path

import numpy as np

import cueline

SPEECH = Path(__file__).parent / "speech"


class Assistant:
    """Says something, until it is over or somebody speaks."""

    def __init__(self, engine: cueline.AudioEngine) -> None:
        self.listener = engine.open_recording(channels=1, samplerate=16_000)
        self.voice = engine.open_playback(samplerate=24_000)
        self.speech = cueline.load(SPEECH / "weather.ogg", samplerate=self.voice.samplerate)
        self.interrupted: cueline.Confirmation | None = None

    def hear(self, block: cueline.Block) -> bool:
        """Take a block of the listener, and return whether there is more to say."""
        if np.sqrt(np.mean(block.samples**2)) > 0.02:  # here a speech detector would decide
            self.interrupted = self.voice.clear()
            return False
        if self.voice.accepted < len(self.speech):
            self.voice.try_write(self.speech[self.voice.accepted :], last=True)
        return self.voice.position().waiting > 0

    def report(self) -> str:
        """Return how much of the speech was heard."""
        self.voice.drain(timeout=5)  # what was cleared fades out
        heard, whole = self.voice.heard() / self.voice.samplerate, len(self.speech) / self.voice.samplerate
        return f"{heard:.2f} of {whole:.2f} s were heard"


with cueline.AudioEngine("offline", inputs=1, outputs=1) as engine:
    assistant = Assistant(engine)
    stop = cueline.load(SPEECH / "stop.flac", samplerate=engine.samplerate)
    outputs, talks = [], True
    for part in np.array_split(np.concatenate([np.zeros((96_000, 1), np.float32), stop]), 128):
        outputs.append(engine.render(audio=part)[:, 0])
        while talks and (block := assistant.listener.try_read(320)) is not None:
            talks = assistant.hear(block)
    assert assistant.interrupted is not None
    print(f"somebody speaks from frame 96000 on; the speech ends from frame {assistant.interrupted.result().frame} on")
    print(f"its last sample was at frame {np.flatnonzero(np.concatenate(outputs))[-1]}; {assistant.report()}")

if "--live" in sys.argv:  # with headphones: the microphone must not hear the speech
    with cueline.AudioEngine(inputs=1) as engine:
        assistant = Assistant(engine)
        for block in assistant.listener.blocks(320):
            if not assistant.hear(block):
                break
        print(assistant.report())
