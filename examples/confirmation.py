"""Learn at which frame a command took effect, or why it did not."""

import asyncio

import cueline


async def main() -> None:
    """Send commands, and wait for the audio thread's reports."""
    with cueline.AudioEngine("null", processor="tone") as engine:
        loud = cueline.SetTone(frequency_hz=440, gain=0.5)
        applied = await engine.confirm(loud)  # other tasks run meanwhile
        print(f"applied at frame {applied.frame}")

        soon = engine.confirm(loud, at=engine.after(0.1))  # a tenth of a second from now
        print(f"applied at frame {soon.result(timeout=5).frame}, late: {soon.result().late}")  # without asyncio

        too_late = engine.confirm(loud, at=1, late="drop")
        cancelled = engine.confirm(loud, at=engine.after(60))
        cancelled.cancel()
        for confirmation in (too_late, cancelled):
            try:
                await confirmation
            except cueline.RefusedError as refused:
                print(f"{refused.reason.name}: {refused}")


asyncio.run(main())
