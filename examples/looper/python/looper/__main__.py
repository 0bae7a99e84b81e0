"""The command `looper`: makes 40 loops, and plays them from a thread in C++, on the beat."""

from __future__ import annotations

import argparse
import time

import numpy as np
import numpy.typing as npt

from looper.looper import Looper
from looper.messages import StopPads

_PADS = 40
_BEATS = 16


def stems_of(pad: int, beat: int, samplerate: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return a tone that dies away, and a click: the stems of a pad."""
    seconds = np.arange(beat * (2 + pad % 3) // 2) / samplerate
    tone = 0.1 * np.sin(2 * np.pi * 110 * 2 ** (pad * 5 % 36 / 12) * seconds) * np.exp(-8 * seconds)
    click = 0.02 * np.cos(2 * np.pi * 1_500 * seconds) * np.exp(-200 * seconds)
    return tone.astype(np.float32), click.astype(np.float32)


def main() -> None:
    """Play four bars at 120 beats a minute."""
    parser = argparse.ArgumentParser(prog="looper", description="Play four bars of loops on cueline.")
    parser.add_argument("--device", help="jack, portaudio, null, or a name from `cueline devices` (default: the first)")
    with Looper(parser.parse_args().device) as looper:
        engine = looper.engine
        beat = engine.samplerate // 2
        for loading in [looper.load(pad, *stems_of(pad, beat, engine.samplerate)) for pad in range(_PADS)]:
            loading.result().result(timeout=10)
        first = engine.now() + beat
        notes = [(first + number * beat // 2, number % _PADS) for number in range(2 * _BEATS)]
        print(f"{looper.midi_thread(notes, grid=beat).join()} triggers on {engine.device}, each on its beat")
        while engine.now() < first + _BEATS * beat:
            pads = engine.meters.array("pads")
            print(f"{np.count_nonzero(pads.peak):2} pads sound, the loudest at {pads.peak.max():.2f}")
            time.sleep(1)
        stopped = engine.confirm(StopPads()).result(timeout=10)
        print(f"{stopped.value} pads stopped at frame {stopped.frame}")


if __name__ == "__main__":
    main()
