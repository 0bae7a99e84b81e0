"""Give a thread its own line: its own room for commands, its own share of each block, its own answers."""

import threading

import cueline


def sequencer(engine: cueline.AudioEngine) -> None:
    """Send cues, and ask how loud they were."""
    with engine.open_line() as line:  # up to 8 at a time, unless you ask for more: AudioEngine(lines=64)
        for step in range(8):
            line.send(cueline.SetTone(frequency_hz=220 + 20 * step, gain=0.2), at=engine.after(0.01 * step), timeout=1)
        level = line.request(cueline.GetLevel(), cueline.Level, at=engine.after(0.1), timeout=5)
        print(f"line {line.number}: peak {level.peak:.1f} up to frame {level.frame}")


with cueline.AudioEngine("null", processor="tone") as engine:
    thread = threading.Thread(target=sequencer, args=(engine,))
    thread.start()
    while thread.is_alive():
        engine.ping()  # floods the engine's own line; refused when that is full
        for message in engine.messages():
            assert message.line == 0, "the line gets its own answers"
    thread.join()
    print("each line gets its share of every block:", engine.stats().lines[1].commands.sent > 8)
