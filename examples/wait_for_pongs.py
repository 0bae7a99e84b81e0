"""Send a burst of pings, wait for every answer, and print the counters."""

import cueline

with cueline.AudioEngine("null", blocksize=256) as engine:
    accepted = 0
    while accepted < 1024 and engine.ping() is cueline.Status.OK:  # at most 1024 answers can wait
        accepted += 1
    for _ in range(accepted):
        message = engine.receive(timeout=5)  # waits without the GIL; raises cueline.Empty after the timeout
    print(f"{accepted} pings accepted, the last answered at frame {message.frame}")
    print(engine.stats().commands)
