"""Random calls on one line and on several, compared with a model of what must come (Hypothesis)."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Literal

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
TestLine.settings = settings(max_examples=200, stateful_step_count=30)


Answer = tuple[int, int, type[cueline.Message]]  # to which line and command, of which class


class Receiver:
    """The engine or a line, open or closed, and the answers that it must still receive."""

    def __init__(self, sender: cueline.AudioEngine | cueline.Line, everything: bool) -> None:
        self.sender = sender
        self.everything = everything
        self.open = True
        self.expected: list[Answer] = []


class Lines(RuleBasedStateMachine):
    """An engine, the lines that were opened, and which of them must receive which answers in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = cueline.AudioEngine("offline", processor="tone", blocksize=BLOCK, lines=4)
        self.receivers = [Receiver(self.engine, everything=False)]
        self.sent: Counter[int] = Counter()
        self.under_way: list[tuple[Receiver, Answer]] = []
        self.receivers += [Receiver(self.make_line("own"), everything=False) for _ in range(2)]

    def make_line(self, events: Literal["own", "all"]) -> cueline.Line:
        return self.engine.open_line(events=events)

    def opened(self) -> list[Receiver]:
        return [receiver for receiver in self.receivers if receiver.open]

    @rule(events=st.sampled_from(["own", "all"]))
    def open(self, events: Literal["own", "all"]) -> None:
        if len(self.opened()) == 4:
            with pytest.raises(cueline.LinesTakenError):
                self.make_line(events)
        else:
            self.receivers.append(Receiver(self.make_line(events), events == "all"))

    @precondition(lambda self: len(self.opened()) > 1)
    @rule(which=st.integers(1, 3))
    def close(self, which: int) -> None:
        opened = self.opened()
        receiver = opened[min(which, len(opened) - 1)]
        receiver.sender.close()
        receiver.open = False

    @rule(
        which=st.integers(0, 3),
        classes=st.lists(st.sampled_from([cueline.Pong, cueline.Level]), min_size=2, max_size=8),
    )
    def send(self, which: int, classes: list[type[cueline.Message]]) -> None:
        opened = self.opened()
        receiver = opened[which % len(opened)]
        for cls in classes:
            assert (
                receiver.sender.ping() if cls is cueline.Pong else receiver.sender.send(cueline.GetLevel())
            ) is Status.OK
            number = receiver.sender.number
            self.sent[number] += 1
            self.under_way.append((receiver, (number, self.sent[number], cls)))

    @rule()
    def render(self) -> None:
        self.engine.render(BLOCK)
        for sender, answer in self.under_way:
            others = [other for other in self.opened() if other.everything or other.sender is self.engine]
            for receiver in [sender] if sender.open else others:
                receiver.expected.append(answer)
        self.under_way.clear()

    @rule(
        which=st.integers(0, 5),
        classes=st.sampled_from([(), (cueline.Pong,), (cueline.Level,), (cueline.Pong, cueline.Level)]),
    )
    def receive(self, which: int, classes: tuple[type[cueline.Message], ...]) -> None:
        self.receive_from(self.receivers[which % len(self.receivers)], classes)

    def receive_from(self, receiver: Receiver, classes: tuple[type[cueline.Message], ...]) -> bool:
        wanted = [answer for answer in receiver.expected if not classes or answer[2] in classes]
        try:
            message = receiver.sender.receive(*classes, timeout=0)
        except cueline.Empty:
            assert receiver.open
            assert not wanted
            return False
        except cueline.ClosedError:
            assert not receiver.open
            assert not wanted
            return False
        answer = (message.line, message.sequence, type(message))
        assert answer == next((each for each in wanted if each[0] == message.line), None)  # lines take turns
        receiver.expected.remove(answer)
        return True

    def teardown(self) -> None:
        self.render()
        for receiver in self.receivers:
            while self.receive_from(receiver, ()):
                pass
        self.engine.close()


TestLines = Lines.TestCase
TestLines.settings = settings(max_examples=100, stateful_step_count=40)


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


class _Hasty(cueline.Line):
    """A mutant: drops its messages when it is closed."""

    def close(self) -> None:
        if not self.closed:
            list(self.messages())
        super().close()


class _Choosy(cueline.Line):
    """A mutant: drops the messages that come before one of the wanted classes."""

    def receive(self, *types: Any, timeout: float | None = None, into: Any = None) -> Any:
        message = super().receive(timeout=timeout, into=into)
        return self.receive(*types, timeout=timeout) if types and not isinstance(message, types) else message


def require_caught(broken: type[RuleBasedStateMachine]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            broken,
            settings=settings(
                max_examples=400,
                stateful_step_count=30,
                database=None,
                derandomize=True,
                report_multiple_bugs=False,
                phases=[Phase.generate],  # nobody reads the shortest way to a bug that is known
            ),
        )


@pytest.mark.parametrize("mutant", [_Forgetful, _Generous])
def test_the_property_test_catches(mutant: type[cueline.AudioEngine]) -> None:
    class Broken(Line):
        def make_engine(self) -> cueline.AudioEngine:
            return mutant("offline", blocksize=BLOCK)

    require_caught(Broken)


@pytest.mark.parametrize("mutant", [_Hasty, _Choosy])
def test_the_property_test_of_lines_catches(mutant: type[cueline.Line]) -> None:
    class Broken(Lines):
        def make_line(self, events: Literal["own", "all"]) -> cueline.Line:
            return mutant(self.engine, events)

    require_caught(Broken)
