"""Ping the audio thread, and receive its answer."""

import cueline

with cueline.AudioEngine() as engine:  # JACK, else the sound card, else a clocked thread without sound
    status = engine.ping()  # Status.OK, or Status.FULL: never blocks
    message = engine.receive(timeout=1)  # waits without the GIL; receive_msg() looks once and never blocks
    print(engine.stats().device, status.name, message)
