"""Receive, send and confirm in three tasks of one asyncio loop."""

import asyncio

import cueline


async def listen(engine: cueline.AudioEngine) -> int:
    """Count the levels until the engine is closed."""
    levels = 0
    async for message in engine:
        if isinstance(message, cueline.Level):
            levels += 1
    return levels


async def play(engine: cueline.AudioEngine) -> None:
    """Change the tone at four future frames, and wait until the last change has applied."""
    begin = engine.after(0.1)
    for step, hertz in enumerate((220, 277, 330)):
        await engine.asend(cueline.SetTone(hertz, 0.2), at=begin + step * 4800)
    applied = await engine.confirm(cueline.SetTone(440, 0.2), at=begin + 3 * 4800)
    print(f"the last change applied at its frame: {applied.frame == begin + 3 * 4800}")


async def watch(engine: cueline.AudioEngine) -> None:
    """Request the level ten times."""
    for _ in range(10):
        await engine.asend(cueline.GetLevel())
        await asyncio.sleep(0.02)


async def main() -> None:
    """Run all three at once."""
    with cueline.AudioEngine("null", processor="tone") as engine:
        listening = asyncio.create_task(listen(engine))
        await asyncio.gather(play(engine), watch(engine))
    print(f"{await listening} levels came")


asyncio.run(main())
