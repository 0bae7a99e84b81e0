"""Define typed messages. `cueline header examples/typed_messages.py` writes the same structs for C++."""

from typing import Annotated

import cueline


@cueline.message(256)  # kinds below 256 are cueline's
class SetVoice(cueline.Message):  # the base class is for type checkers; you may omit it
    """Set the frequency and gain of a voice."""

    voice: cueline.u32
    frequency_hz: cueline.f32
    gain: cueline.f32 = 0.2


@cueline.message(257)
class Chord(cueline.Message):
    """Keys pressed together; 255 for none."""

    keys: Annotated[tuple[int, ...], cueline.array(cueline.u8, 8)]
    at_once: bool = True


def main() -> None:
    """Send, receive and match messages."""
    with cueline.AudioEngine("offline", processor="tone") as engine:
        engine.ping()
        tone = cueline.SetTone(frequency_hz=440, gain=0.5)  # a message of cueline itself
        engine.send(tone)  # returns Status.OK or Status.FULL; never blocks
        engine.send(cueline.GetLevel())
        engine.render(48_000)

        for message in engine.messages():
            match message:
                case cueline.Pong(sequence=sequence, frame=frame):
                    print(f"ping {sequence} was answered at frame {frame}")
                case cueline.Level(peak=peak):
                    print(f"peak {peak:.2f}")
                case _:
                    print(message)
        try:
            engine.send(Chord(keys=(60, 64, 67, 255, 255, 255, 255, 255)))
        except cueline.ProcessorError as error:
            print(error)  # your messages need your own processor: see examples/visit.cpp
    try:
        SetVoice(voice=-1, frequency_hz=440.0)
    except cueline.ArgumentError as error:
        print(error)


if __name__ == "__main__":
    main()
