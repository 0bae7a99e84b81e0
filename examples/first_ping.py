"""Ping the audio thread, and look for its answer."""

import time

import cueline

with cueline.AudioEngine() as engine:  # today the null device: a clocked thread without a sound card
    status = engine.ping()  # Status.OK, or Status.FULL: never blocks
    time.sleep(0.01)  # a few blocks' time
    message = engine.receive_msg()  # a Message, or None: never blocks
    print(status.name, message)
