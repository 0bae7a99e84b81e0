"""Give a thread its own line, so that no other thread can fill its ring."""

import threading

import cueline


def sequencer(engine: cueline.AudioEngine) -> None:
    """Send cues on its own line."""
    with engine.open_line() as line:  # up to 8 at a time
        for step in range(8):
            line.send(cueline.SetTone(frequency_hz=220 + 20 * step, gain=0.2), at=engine.after(0.01 * step), timeout=1)
        confirmation = line.confirm(cueline.GetLevel(), timeout=1)
    print("the sequencer is done at frame", confirmation.result(timeout=5).frame)  # also after the line is closed


with cueline.AudioEngine("null", processor="tone") as engine:
    thread = threading.Thread(target=sequencer, args=(engine,))
    thread.start()
    while thread.is_alive():
        engine.ping()  # floods the engine's own line; refused when that is full
        for message in engine.messages():
            if message.line != 0:
                print(f"from line {message.line}: {type(message).__name__} of command {message.sequence}")
    thread.join()
    print(engine.stats().commands.sent > 0, "lines are read in turn, one command of each")
