"""Random calls on a line, compared with a model of two bounded deques (Hypothesis)."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import cueline
from cueline import Status

CAPACITY = 1024
BLOCK = 8


class Line(RuleBasedStateMachine):
    """An engine on the offline device, and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = self.make_engine()
        self.commands: deque[int] = deque()
        self.events: deque[tuple[int, int]] = deque()
        self.frame = 0
        self.sent = self.refused = self.answered = self.unanswered = 0
        self.commands_high = self.events_high = 0

    def make_engine(self) -> cueline.AudioEngine:
        return cueline.AudioEngine("offline", blocksize=BLOCK)

    @rule(count=st.integers(1, 700))
    def ping(self, count: int) -> None:
        for _ in range(count):
            if len(self.commands) == CAPACITY:
                assert self.engine.ping() is Status.FULL
                self.refused += 1
                self.commands_high = CAPACITY
            else:
                assert self.engine.ping() is Status.OK
                self.sent += 1
                self.commands.append(self.sent)

    @rule(frames=st.integers(0, 4 * BLOCK))
    def render(self, frames: int) -> None:
        assert self.engine.render(frames).shape == (frames, 2)
        for begin in range(0, frames, BLOCK):
            self.commands_high = max(self.commands_high, len(self.commands))
            for _ in range(len(self.commands)):
                sequence = self.commands.popleft()
                if len(self.events) == CAPACITY:
                    self.unanswered += 1
                    self.events_high = CAPACITY
                else:
                    self.answered += 1
                    self.events.append((sequence, self.frame + begin))
            self.events_high = max(self.events_high, len(self.events))
        self.frame += frames

    @rule(count=st.integers(1, 700))
    def receive(self, count: int) -> None:
        for _ in range(count):
            message = self.engine.receive_msg()
            if not self.events:
                assert message is None
                break
            assert message is not None
            assert (message.sequence, message.frame) == self.events.popleft()

    @precondition(lambda self: len(self.events) > 900)
    @rule()
    def drain(self) -> None:
        assert [(m.sequence, m.frame) for m in self.engine.messages()] == list(self.events)
        self.events.clear()

    @rule()
    def stop_and_start(self) -> None:
        self.engine.stop()
        self.engine.start()

    @invariant()
    def counters_agree(self) -> None:
        stats = self.engine.stats()
        assert stats.commands == cueline.RingStats(self.sent, self.refused, self.commands_high)
        assert stats.events == cueline.RingStats(self.answered, self.unanswered, self.events_high)
        assert stats.frames == self.frame


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


class _Forgetful(cueline.AudioEngine):
    """A mutant: loses one pong in five hundred."""

    count = 0

    def receive_msg(self) -> cueline.Message | None:
        self.count += 1
        if self.count % 500 == 0:
            super().receive_msg()
        return super().receive_msg()


class _Generous(cueline.AudioEngine):
    """A mutant: returns OK for a ping that it refused."""

    def ping(self) -> Status:
        super().ping()
        return Status.OK


@pytest.mark.parametrize("mutant", [_Forgetful, _Generous])
def test_the_property_test_catches(mutant: type[cueline.AudioEngine]) -> None:
    class Broken(Line):
        def make_engine(self) -> cueline.AudioEngine:
            return mutant("offline", blocksize=BLOCK)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Broken,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                database=None,
                report_multiple_bugs=False,
                phases=[Phase.generate],  # nobody reads the shortest way to a bug that is known
            ),
        )
