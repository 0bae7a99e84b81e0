"""Other libraries: the cost of putting and getting one message, with each of them and with cueline.

A message has the contents of a ping: its kind, its number, and the time at which it was made.
"""

from __future__ import annotations

import collections
import importlib
import multiprocessing
import queue
import struct
import time
import timeit
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType

from cueline.commands.bench import calls, echo
from cueline.commands.bench.measure import Contender

__all__ = ["Missing", "Peer", "Way", "packaged", "peers"]

_SIZE = 1024  # messages, like our ring
_EXTRA = "pip install 'cueline[bench]'"


@dataclass(frozen=True)
class Way:
    """The contenders, by name, that together carry one message."""

    name: str
    put: str
    """Puts a message that was made before. cueline's always makes its message."""
    send: str
    """Makes a message with the time in it, and puts it."""
    get: str
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """A library that carries messages, and the contenders that time it."""

    way: Way
    contenders: tuple[Contender, ...]


@dataclass(frozen=True)
class Missing:
    """A library that is left out here."""

    name: str
    remedy: str
    """The command that helps."""
    why: str = "it cannot be imported"
    """What is wrong, as the end of a sentence."""


OURS = Way("cueline", calls.PING, calls.PING, calls.RECEIVE)


def packaged(name: str) -> ModuleType | None:
    """Return the module of this name, or None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def peers(stack: ExitStack) -> tuple[list[Peer], list[Missing]]:
    """Return the libraries that can be used here, which ``stack`` closes, and those that cannot."""
    found = [_queue(), _simple_queue(), _deque(), _process_queue(stack)]
    missing = []
    if culsans := packaged("culsans"):
        found.append(_culsans(culsans))
    else:
        missing.append(Missing("culsans", _EXTRA))
    if faster_fifo := packaged("faster_fifo"):
        found.append(_faster_fifo(faster_fifo))
    else:
        missing.append(Missing("faster-fifo", _EXTRA))
    if ringbuf := packaged("ringbuf"):
        found.append(_ringbuf(ringbuf))
    else:
        # It is not in the extra: it has no wheels, and without Boost the whole extra would fail to install.
        missing.append(Missing("ringbuf", "apt install g++ libboost-dev libboost-system-dev; pip install ringbuf"))
    if not packaged("pythonosc"):
        missing.append(Missing("python-osc", _EXTRA))
    elif not echo.reaches_itself():
        missing.append(Missing("python-osc", "ip link set lo up", "this computer does not reach itself by UDP"))
    else:
        found.append(_osc(stack))
    return found, missing


def _queue() -> Peer:
    return _peer("queue.Queue", {"queue": queue.Queue(_SIZE)}, "queue.put_nowait({})", "queue.get_nowait()")


def _simple_queue() -> Peer:
    return _peer(
        "queue.SimpleQueue",
        {"queue": queue.SimpleQueue()},
        "queue.put_nowait({})",
        "queue.get_nowait()",
        note="no bound",
    )


def _deque() -> Peer:
    deque: collections.deque[object] = collections.deque()
    return _peer(
        "collections.deque", {"queue": deque}, "queue.append({})", "queue.popleft()", note="no bound, no way to wait"
    )


def _process_queue(stack: ExitStack) -> Peer:
    carrier = multiprocessing.get_context("spawn").Queue(_SIZE)
    # Wait for its feeder thread: if Python ends it, a semaphore leaks and Python warns.
    stack.callback(carrier.join_thread)
    stack.callback(carrier.close)
    return _peer(
        "multiprocessing.Queue",
        {"queue": carrier},
        "queue.put_nowait({})",
        "queue.get()",  # get_nowait() would raise Empty while the feeder thread is behind
        settle=lambda: time.sleep(0.02),  # the feeder thread pickles and writes the messages
        note="a thread pickles in the background",
    )


def _culsans(culsans: ModuleType) -> Peer:
    return _peer("culsans.Queue", {"queue": culsans.Queue(_SIZE).sync_q}, "queue.put_nowait({})", "queue.get_nowait()")


def _faster_fifo(faster_fifo: ModuleType) -> Peer:
    return _peer(
        "faster_fifo.Queue",
        {"queue": faster_fifo.Queue(max_size_bytes=100 * _SIZE)},
        "queue.put_nowait({})",
        "queue.get_nowait()",
    )


def _ringbuf(ringbuf: ModuleType) -> Peer:
    """Return the peer that carries bytes: its user packs and unpacks them."""
    form = struct.Struct("<IIQ")
    return _peer(
        "ringbuf.RingBuffer",
        {"ring": ringbuf.RingBuffer(format="B", capacity=_SIZE * form.size), "form": form, "size": form.size},
        "ring.push({})",
        "form.unpack(ring.pop(size))",
        ready=form.pack(1, 7, 0),
        new="form.pack(1, 7, now())",
        note="bytes: packed and unpacked here",
    )


def _osc(stack: ExitStack) -> Peer:
    """Put: to another process. Get: one message from the socket to the handler, in a server in this process."""
    from pythonosc.udp_client import SimpleUDPClient

    there = stack.enter_context(echo.osc_process())
    here = stack.enter_context(echo.osc_server())
    to_here = stack.enter_context(SimpleUDPClient(*here.server_address))

    def send_here(calls: int) -> None:
        for _ in range(calls):
            to_here.send_message("/note", [7, 0])

    return Peer(
        way := _way("OSC over UDP", note="python-osc, to another process; it loses messages if the server is late"),
        (
            Contender(way.put, 'send("/note", ready)', {"send": there.client.send_message, "ready": [7, 0]},
                      finish=there.round_trip, calls=100),
            Contender(way.send, 'send("/note", [7, now()])', {"send": there.client.send_message, "now": _now},
                      finish=there.round_trip, calls=100),
            Contender(way.get, "serve()", {"serve": here.handle_request}, send_here, calls=100),
        ),
    )  # fmt: skip


_now = time.monotonic_ns


def _way(name: str, note: str = "") -> Way:
    return Way(name, f"{name}: put", f"{name}: make and put", f"{name}: get", note)


def _peer(
    name: str,
    names: Mapping[str, object],
    put: str,
    get: str,
    *,
    ready: object = (1, 7, 0),
    new: str = "(1, 7, now())",
    settle: Callable[[], object] = lambda: None,
    note: str = "",
) -> Peer:
    """Return a peer in this process. It is emptied after a batch of puts, and filled before a batch of gets."""
    way = _way(name, note)
    names = {**names, "ready": ready, "now": _now}
    put_ready = put.format("ready")
    filling = timeit.Timer(put_ready, globals=names)
    emptying = timeit.Timer(get, globals=names)
    held = 0

    def fill(calls: int) -> None:
        filling.timeit(calls)
        settle()

    def note_calls(calls: int) -> None:
        nonlocal held
        held = calls

    def empty() -> None:
        emptying.timeit(held)

    return Peer(
        way,
        (
            Contender(way.put, put_ready, names, note_calls, empty),
            Contender(way.send, put.format(new), names, note_calls, empty),
            Contender(way.get, get, names, fill),
        ),
    )
