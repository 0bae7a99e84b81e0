"""Learn at which frame a command took effect, or why it did not."""

import asyncio

import cueline


async def main() -> None:
    """Send commands, and wait for the audio thread's reports."""
    with cueline.AudioEngine("null", processor="tone") as engine:
        loud = cueline.SetTone(frequency_hz=440, gain=0.5)
        applied = await engine.confirm(loud)  # other tasks run meanwhile
        print(f"applied at frame {applied.frame}")

        soon = engine.confirm(loud, at=engine.now() + 4_800)  # a tenth of a second from now
        print(f"applied at frame {soon.result(timeout=5).frame}, late: {soon.result().late}")  # without asyncio

        too_late = engine.confirm(loud, at=1, late="drop")
        never = engine.confirm(cueline.Message(999))
        for confirmation in (too_late, never):
            try:
                await confirmation
            except cueline.RefusedError as refused:
                print(f"{refused.reason.name}: {refused}")


asyncio.run(main())
