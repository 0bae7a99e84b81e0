"""Send a transaction: all of its messages or none, applied in one block at one frame."""

import cueline

engine = cueline.AudioEngine("offline", processor="tone")
with engine.transaction(at=500, confirm=True) as chord:
    for frequency in (220, 277.18, 329.63):  # all must begin in the same block
        chord.send(cueline.Click(frequency_hz=frequency))
    chord.send(cueline.SetTone(frequency_hz=110, gain=0.1))
engine.render(1_000)
assert chord.confirmation is not None
print("the chord was played at frame", chord.confirmation.result(0).frame)

with engine.transaction(at=5_000) as doomed:
    doomed.send(cueline.SetTone(frequency_hz=55, gain=0.1))
engine.cancel(doomed.sequence)  # cancels all of its messages
engine.render(1_000)
print(engine.stats().cues.cancelled, "transaction cancelled")

while engine.ping() is cueline.Status.OK:  # fills the ring
    pass
try:
    with engine.transaction() as refused:
        refused.send(cueline.SetTone(frequency_hz=55, gain=0.1))
except cueline.Full as full:
    print(full)
