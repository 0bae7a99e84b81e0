"""A transaction: messages that go in whole or not at all, and apply together, in one block at one frame."""

import cueline


@cueline.message(256)
class StartVoice:
    """A chord is no chord when one of its notes comes a block later."""

    voice: cueline.u32
    frequency_hz: cueline.f32


engine = cueline.AudioEngine("offline", processor="tone", budget=2)  # reads two messages a block, but no half chords
with engine.transaction(at=500, confirm=True) as chord:
    for voice, frequency in enumerate((220, 277.18, 329.63)):
        chord.send(StartVoice(voice=voice, frequency_hz=frequency))
    chord.send(cueline.SetTone(frequency_hz=110, gain=0.1))
engine.render(1_000)
assert chord.confirmation is not None
print("the chord was played at frame", chord.confirmation.result(0).frame)

with engine.transaction(at=5_000) as doomed:
    doomed.send(cueline.SetTone(frequency_hz=55, gain=0.1))
engine.cancel(doomed.sequence)  # all of it
engine.render(1_000)
print(engine.stats().cues.cancelled, "transaction cancelled")

while engine.ping() is cueline.Status.OK:  # fills the ring
    pass
try:
    with engine.transaction() as refused:
        refused.send(cueline.SetTone(frequency_hz=55, gain=0.1))
except cueline.Full as full:
    print(full)
