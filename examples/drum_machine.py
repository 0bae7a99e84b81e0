"""A drum machine: patterns in text, with swing, and a tempo that changes while they play."""

import sys

import cueline

BEAT = {"kick": "x---x---x---x---", "snare": "----x-------x---", "hat": "x-xxx-x-x-xxx-x-"}
FILL = {"kick": "x---------------", "snare": "x-x-xx-xx-xxxxxx", "hat": "----------------"}


def events(pattern: dict[str, str]) -> list[tuple[float, cueline.PlayBuffer]]:
    """Return the hits of a pattern of sixteenth notes."""
    return [
        (step / 4, cueline.PlayBuffer(slot, gain=0.5))
        for slot, line in enumerate(pattern.values())
        for step, hit in enumerate(line)
        if hit == "x"
    ]


def play(engine: cueline.AudioEngine) -> cueline.Sequence:
    """Play three bars and a fill, from the next bar on, while the tempo rises."""
    for slot, name in enumerate(BEAT):
        engine.publish(slot, getattr(cueline.sounds, name)(engine.samplerate))
    bar = engine.timeline.next_bar() + 4
    drums = engine.sequence(events(BEAT), at=bar, loop_beats=4, swing=0.6, swing_grid=0.25)
    engine.timeline.ramp(280, beats=8, at=bar + 4)
    drums.replace(events(FILL), at=bar + 12)
    drums.stop(at=bar + 16)
    return drums


if __name__ == "__main__":
    with cueline.AudioEngine(sys.argv[1] if sys.argv[1:] else None, processor="player") as engine:
        engine.timeline.tempo = 240
        drums = play(engine)
        drums.wait(timeout=60)
        print(f"{drums.played} hits, {drums.late} late")
