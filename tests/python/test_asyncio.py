"""Messages on an asyncio loop: other tasks run meanwhile, and no cancellation loses a message."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

import cueline
from conftest import fill
from cueline import awaiting

BLOCK = 4  # then it polls every 0.1 ms, the shortest interval


@pytest.fixture
def engine() -> Iterator[cueline.AudioEngine]:
    with make_engine() as made:
        yield made


def make_engine(made: type[cueline.AudioEngine] = cueline.AudioEngine) -> cueline.AudioEngine:
    return made("offline", processor="tone", blocksize=BLOCK, outputs=1, budget=1024)


def answered(engine: cueline.AudioEngine, count: int) -> None:
    """Make this many pongs wait."""
    for _ in range(count):
        assert engine.ping() is cueline.Status.OK
    engine.render(BLOCK)


def at_once(coroutine: Any) -> Any:
    """Return the coroutine's result, and assert that it never yields to the loop."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    return stopped.value.value


# --- Receiving ---------------------------------------------------------------------------------------------------


def test_asyncio_is_imported_by_who_uses_it() -> None:
    program = (
        "import sys, cueline\n"
        "with cueline.AudioEngine('null', processor='tone') as engine:\n"
        "    engine.ping(); engine.receive(timeout=10); engine.confirm(cueline.GetLevel())\n"
        "assert 'asyncio' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_what_waits_is_returned_without_a_pause(engine: cueline.AudioEngine) -> None:
    answered(engine, 2)
    assert at_once(engine.areceive()).sequence == 1
    assert at_once(aiter_of(engine).__anext__()).sequence == 2


def aiter_of(engine: cueline.AudioEngine) -> awaiting.Arrivals:
    return engine.__aiter__()


def test_messages_are_iterated_over_until_the_engine_is_closed() -> None:
    async def listen(engine: cueline.AudioEngine, found: list[int]) -> None:
        async for message in engine:
            found.append(message.sequence)

    async def main() -> list[int]:
        found: list[int] = []
        with cueline.AudioEngine("null", blocksize=64) as engine:
            listening = asyncio.create_task(listen(engine, found))
            for _ in range(300):
                engine.ping()
                await asyncio.sleep(0)
            while len(found) < 300:
                await asyncio.sleep(0.001)
        await listening
        return found

    assert asyncio.run(main()) == list(range(1, 301))


def test_what_came_before_a_close_is_iterated_over_too(engine: cueline.AudioEngine) -> None:
    async def main() -> list[int]:
        return [message.sequence async for message in engine]

    for _ in range(50):
        engine.ping()
    engine.render(BLOCK)
    engine.close()
    assert asyncio.run(main()) == list(range(1, 51))


def test_nothing_in_time_is_empty(engine: cueline.AudioEngine) -> None:
    for timeout in (0, 0.01):
        with pytest.raises(cueline.Empty, match=rf"^no message within {timeout} s: the offline"):
            asyncio.run(engine.areceive(timeout=timeout))


@pytest.mark.parametrize(
    ("timeout", "text"),
    [
        (-1, "timeout must be 0 seconds or more, or None, got -1"),
        ("soon", "timeout must be a number of seconds or None, got 'soon'"),
        (True, "timeout must be a number of seconds or None, got True"),
    ],
)
def test_a_timeout_that_cannot_be_loses_no_message(engine: cueline.AudioEngine, timeout: Any, text: str) -> None:
    answered(engine, 1)
    with pytest.raises((cueline.ArgumentError, cueline.ArgumentTypeError)) as refused:
        asyncio.run(engine.areceive(timeout=timeout))
    assert str(refused.value) == text
    assert engine.receive_msg() is not None


def test_a_closed_engine_ends_the_wait(engine: cueline.AudioEngine) -> None:
    async def main() -> None:
        waiting = asyncio.create_task(engine.areceive())
        await asyncio.sleep(0.002)
        engine.close()
        await waiting

    with pytest.raises(cueline.ClosedError):
        asyncio.run(main())


def passes_beside(work: Callable[[], Awaitable[None]]) -> int:
    """Return how often another task ran while ``work`` did."""

    async def main() -> int:
        passes = 0

        async def count() -> None:
            nonlocal passes
            while True:
                passes += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await work()
        counting.cancel()
        return passes

    return asyncio.run(main())


@pytest.mark.parametrize("fair", [True, False])
@pytest.mark.parametrize("way", ["async for", "areceive", "asend"])
def test_whoever_is_busy_lets_others_run(
    engine: cueline.AudioEngine, way: str, fair: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant never yields to the loop: nobody else runs."""
    if not fair:
        monkeypatch.setattr(awaiting.Turns, "over", lambda _: False)

    async def work() -> None:
        if way == "async for":
            left = 1000
            async for _ in engine:
                left -= 1
                if left == 0:
                    break
            return
        for _ in range(1000):
            await (engine.areceive() if way == "areceive" else engine.asend(cueline.GetLevel()))

    if way != "asend":
        answered(engine, 1000)
    passes = passes_beside(work)
    assert passes >= 1000 // 32 if fair else passes == 0


def test_each_message_goes_to_one_of_several_tasks(engine: cueline.AudioEngine) -> None:
    async def take(count: int) -> list[int]:
        return [(await engine.areceive()).sequence for _ in range(count)]

    async def main() -> list[list[int]]:
        tasks = [asyncio.create_task(take(100)) for _ in range(5)]
        for _ in range(10):
            answered(engine, 50)
            await asyncio.sleep(0.001)
        return await asyncio.gather(*tasks)

    taken = asyncio.run(main())
    assert sorted(number for numbers in taken for number in numbers) == list(range(1, 501))
    assert all(numbers == sorted(numbers) for numbers in taken)


# --- Cancelling --------------------------------------------------------------------------------------------------

WAYS = ["cancel", "wait_for", *(["timeout"] if sys.version_info >= (3, 11) else [])]


async def take_some(engine: cueline.AudioEngine, chance: random.Random, way: str, found: list[int]) -> None:
    """Receive in this way until a cancellation comes at a random moment."""
    patience = chance.choice([0, 0.0001, 0.001, 0.002]) * chance.random()

    async def several() -> None:
        async for message in engine:
            found.append(message.sequence)

    async def one() -> None:
        found.append((await engine.areceive(timeout=chance.choice([None, 0.001]))).sequence)

    receiving = several if chance.random() < 0.5 else one
    try:
        if way == "cancel":
            task = asyncio.ensure_future(receiving())
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(chance.choice([0, 0, patience]))
            task.cancel()
            await task
        elif way == "wait_for" and receiving is one:
            message = await asyncio.wait_for(engine.areceive(), patience)
            found.append(message.sequence)
        elif way == "wait_for":
            await asyncio.wait_for(receiving(), patience)
        elif sys.version_info >= (3, 11):
            async with asyncio.timeout(patience):
                await receiving()
    except (asyncio.CancelledError, asyncio.TimeoutError, cueline.Empty):
        pass


async def sending_and_cancelling(engine: cueline.AudioEngine, seed: int) -> tuple[int, list[int]]:
    """Return how many pings were sent, and the sequences of the received pongs in order."""
    chance = random.Random(seed)
    found: list[int] = []
    sent = 0
    ended = False

    async def send() -> None:
        nonlocal sent
        while not ended:
            count = chance.choice([0, 1, 1, 2, 40]) if engine._waiting() < 900 else 0  # else pongs are dropped
            answered(engine, count)
            sent += count
            await asyncio.sleep(chance.choice([0, 0, 0.0002, 0.001]))

    sending = asyncio.create_task(send())
    for _ in range(40):
        await take_some(engine, chance, chance.choice(WAYS), found)
    ended = True
    await sending
    found.extend(message.sequence for message in engine.messages())
    return sent, found


@pytest.mark.parametrize("seed", range(12))
def test_a_cancelled_wait_loses_no_message(engine: cueline.AudioEngine, seed: int) -> None:
    sent, found = asyncio.run(sending_and_cancelling(engine, seed))
    assert sent > 0
    assert found == list(range(1, sent + 1)), f"seed {seed}"


class _Hesitant(cueline.AudioEngine):
    """A mutant: yields to the loop while it holds a message."""

    async def areceive(self, *types: Any, timeout: float | None = None) -> Any:
        message = await super().areceive(*types, timeout=timeout)
        await asyncio.sleep(0)
        return message

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> cueline.Message:
        return await self.areceive()


def test_a_message_lost_to_a_cancellation_is_found_out() -> None:
    def loses(seed: int) -> bool:
        with make_engine(_Hesitant) as engine:
            sent, found = asyncio.run(sending_and_cancelling(engine, seed))
        return found != list(range(1, sent + 1))

    assert any(loses(seed) for seed in range(12))


# --- Confirmations -----------------------------------------------------------------------------------------------


def test_a_cancelled_await_does_not_lose_the_outcome(engine: cueline.AudioEngine) -> None:
    async def main() -> None:
        applied = engine.confirm(cueline.GetLevel())
        refused = engine.confirm(cueline.GetLevel(), at=10_000)
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(applied, 0.002)
        waiting = [asyncio.ensure_future(applied), asyncio.ensure_future(applied)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        engine.render(BLOCK)
        assert (await waiting[1]).frame == 0
        assert (await applied).frame == 0, "again, as often as one likes"
        refused.cancel()
        engine.render(BLOCK)
        for _ in range(2):
            with pytest.raises(cueline.RefusedError, match="it was cancelled"):
                await refused

    asyncio.run(main())


@pytest.mark.parametrize("seed", range(5))
def test_confirmations_outlive_any_cancellation(engine: cueline.AudioEngine, seed: int) -> None:
    async def main() -> None:
        chance = random.Random(seed)
        under_way = [engine.confirm(cueline.GetLevel(), at=chance.randrange(40 * BLOCK)) for _ in range(100)]
        for _ in range(50):
            task = asyncio.ensure_future(chance.choice(under_way))
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(chance.choice([0, 0.0002]))
                engine.render(chance.choice([0, BLOCK]))
            task.cancel()
        engine.render(40 * BLOCK)
        outcomes = [await confirmation for confirmation in under_way]
        assert [outcome.sequence for outcome in outcomes] == [one.sequence for one in under_way]

    asyncio.run(main())


# --- Sending -----------------------------------------------------------------------------------------------------


def test_asend_waits_for_room(engine: cueline.AudioEngine) -> None:
    async def main() -> None:
        sending = asyncio.create_task(engine.asend(cueline.GetLevel()))
        await asyncio.sleep(0.005)
        assert not sending.done()
        engine.render(BLOCK)
        await sending

    accepted = fill(engine)
    dropped = engine.stats().commands.dropped
    asyncio.run(main())
    assert engine.stats().commands.dropped == dropped, "to look again is not to drop"
    for _ in engine.messages():
        pass
    engine.render(8 * BLOCK)
    level = engine.receive_msg()
    assert level is not None
    assert (type(level), level.sequence) == (cueline.Level, accepted + 1)


@pytest.mark.parametrize("closed", ["engine", "line"])
def test_an_asend_that_ends_because_its_line_closes_is_counted(engine: cueline.AudioEngine, closed: str) -> None:
    async def main() -> None:
        sending = asyncio.create_task(line.asend(cueline.GetLevel()))
        await asyncio.sleep(0)
        (line if closed == "line" else engine).close()
        with pytest.raises(cueline.ClosedError):
            await sending

    line = engine.open_line()
    fill(line)
    dropped = engine.stats().lines[line.number].commands.dropped
    asyncio.run(main())
    assert line.stats().commands.dropped == dropped + 1


def test_asend_sends_at_once_where_there_is_room(engine: cueline.AudioEngine) -> None:
    with engine.open_line() as line:
        assert at_once(engine.asend(cueline.GetLevel())) is None
        assert at_once(line.asend(cueline.GetLevel())) is None
        assert line.stats().commands.sent == engine.stats().commands.sent == 1
        engine.render(BLOCK)
        assert [message.line for sender in (engine, line) for message in sender.messages()] == [0, line.number]


@pytest.mark.parametrize("timeout", [0, 0.005])
def test_asend_gives_up_in_time_and_counts_it(engine: cueline.AudioEngine, timeout: float) -> None:
    fill(engine)
    dropped = engine.stats().commands.dropped
    with pytest.raises(cueline.Full) as full:
        asyncio.run(engine.asend(cueline.GetLevel(), timeout=timeout))
    assert str(full.value) == (
        f"no room within {timeout} s: the ring is full, with 1024 commands: "
        "the offline device makes blocks only in render()"
    )
    assert engine.stats().commands.dropped == dropped + 1


def test_a_cancelled_asend_has_not_sent(engine: cueline.AudioEngine) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(engine.asend(cueline.GetLevel()), 0.003)

    accepted = fill(engine)
    dropped = engine.stats().commands.dropped
    asyncio.run(main())
    engine.render(2 * BLOCK)
    assert engine.last_sequence == accepted
    assert engine.stats().commands.dropped == dropped + 1
    assert {type(message) for message in engine.messages()} == {cueline.Pong}


@pytest.mark.parametrize(
    ("arguments", "how", "text"),
    [
        ((3,), {}, "message must be an object of a class with @cueline.message, such as cueline.PlayBuffer(0), got 3"),
        ((cueline.GetLevel(), -1), {}, "at must be a frame from 0 to 2**63 - 1, or None, got -1"),
        ((cueline.GetLevel(),), {"late": "no"}, "late must be 'apply' or 'drop', got 'no'"),
        ((cueline.GetLevel(),), {"timeout": -1}, "timeout must be 0 seconds or more, or None, got -1"),
    ],
)
def test_asend_refuses_what_send_refuses(engine: cueline.AudioEngine, arguments: Any, how: Any, text: str) -> None:
    for call in (lambda: asyncio.run(engine.asend(*arguments, **how)), lambda: engine.send(*arguments, **how)):
        with pytest.raises((cueline.ArgumentError, cueline.ArgumentTypeError)) as refused:
            call()
        assert str(refused.value) == text
    assert engine.stats().commands.sent == 0
