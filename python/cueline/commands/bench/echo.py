"""Round trips to other threads and processes, over other libraries: each sends back what it gets.

Each of those processes imports this module again.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol

from cueline._core import RING_CAPACITY
from cueline.commands.bench.measure import Contender
from cueline.engine import AudioEngine

if TYPE_CHECKING:
    from pythonosc.osc_server import BlockingOSCUDPServer
    from pythonosc.udp_client import SimpleUDPClient

__all__ = ["OscProcess", "osc_process", "osc_server", "reaches_itself", "round_trips"]

OURS = "cueline: the audio thread"
_LOOPBACK = "127.0.0.1"
_PATIENCE_S = 30.0  # for a process to start
_OSC_PATIENCE_S = 0.5  # for a datagram: after that it counts as lost
_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the locks of our threads, but not the threads


class _Queue(Protocol):
    def put(self, message: Any, /) -> None: ...
    def get(self) -> Any: ...


def round_trips(stack: ExitStack, packaged: Callable[[str], Any]) -> list[Contender]:
    """Return the round trips that can be made here. ``stack`` ends their threads and processes."""
    trips = [_our_round_trip(stack)]
    trips.append(_to_thread(stack, "queue.Queue: a thread", queue.Queue(), queue.Queue()))
    trips.append(_to_thread(stack, "queue.SimpleQueue: a thread", queue.SimpleQueue(), queue.SimpleQueue()))
    if culsans := packaged("culsans"):
        trips.append(_to_thread(stack, "culsans.Queue: a thread", culsans.Queue().sync_q, culsans.Queue().sync_q))
    trips.append(_to_process(stack, "multiprocessing.Queue: a process", _SPAWN.Queue(), _SPAWN.Queue()))
    if fifo := packaged("faster_fifo"):
        trips.append(_to_process(stack, "faster_fifo.Queue: a process", fifo.Queue(), fifo.Queue()))
    if packaged("pythonosc") and reaches_itself():
        there = stack.enter_context(osc_process())
        trips.append(Contender("OSC over UDP: a process", "there()", {"there": there.round_trip}, calls=100))
    return trips


def _our_round_trip(stack: ExitStack) -> Contender:
    """To the audio thread and back: it answers in its next block, and we poll without a pause."""
    engine = AudioEngine("null", processor="silence", blocksize=64, budget=RING_CAPACITY)
    stack.callback(engine.close)

    def there() -> None:
        engine.ping()
        while engine.receive_msg() is None:
            pass

    return Contender(OURS, "there()", {"there": there}, lambda _: engine.start(), engine.stop, calls=10)


def _echo(there: _Queue, back: _Queue) -> None:
    while (message := there.get()) is not None:
        back.put(message)


def _trip(name: str, there: _Queue, back: _Queue) -> Contender:
    return Contender(name, "put(message); get()", {"put": there.put, "get": back.get, "message": (1, 7, 0)}, calls=100)


def _to_thread(stack: ExitStack, name: str, there: _Queue, back: _Queue) -> Contender:
    thread = threading.Thread(target=_echo, args=(there, back), daemon=True)
    thread.start()
    stack.callback(thread.join, _PATIENCE_S)
    stack.callback(there.put, None)
    return _trip(name, there, back)


def _to_process(stack: ExitStack, name: str, there: _Queue, back: _Queue) -> Contender:
    stack.enter_context(_process(_echo_process, there, back))
    there.put((0, 0, 0))
    back.get()  # the process has started
    return _trip(name, there, back)


def _echo_process(there: _Queue, back: _Queue) -> None:
    _end_with_the_parent()
    _echo(there, back)


@contextmanager
def _process(work: Callable[..., None], *arguments: object) -> Iterator[None]:
    """Run ``work`` in another process. It ignores Ctrl-C, because this process handles it."""
    process = _SPAWN.Process(target=work, args=arguments, daemon=True)
    with _without_interrupts():
        process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Block Ctrl-C. A child inherits the mask of its parent, except on Windows, which has none."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()


@dataclass(frozen=True)
class OscProcess:
    """An OSC server in another process: it answers ``/ping``, and takes ``/note`` without an answer."""

    client: SimpleUDPClient

    def round_trip(self) -> None:
        """Send a ping and wait for the answer: by then the server has taken everything that was sent before."""
        self.client.send_message("/ping", [7, 0])
        for _ in self.client.get_messages(_OSC_PATIENCE_S):
            return


def reaches_itself() -> bool:
    """Return whether this computer reaches itself by UDP, as OSC must. It may not in a sandbox without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.bind((_LOOPBACK, 0))
            udp.sendto(b"", udp.getsockname())
        except OSError:
            return False
    return True


def osc_server() -> BlockingOSCUDPServer:
    """Return an OSC server on this machine, at a free UDP port."""
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    dispatcher = Dispatcher()
    dispatcher.map("/ping", lambda _address, *message: ("/pong", *message))
    dispatcher.map("/note", lambda _address, *_message: None)
    return BlockingOSCUDPServer((_LOOPBACK, 0), dispatcher, timeout=_OSC_PATIENCE_S)


@contextmanager
def osc_process() -> Iterator[OscProcess]:
    """Start an OSC server in another process, and yield its client."""
    from pythonosc.udp_client import SimpleUDPClient

    ours, theirs = _SPAWN.Pipe()
    with _process(_serve_osc, theirs):
        if not ours.poll(_PATIENCE_S):
            raise TimeoutError(f"an OSC server did not start within {_PATIENCE_S:.0f} s")
        with SimpleUDPClient(_LOOPBACK, ours.recv()) as client:
            yield OscProcess(client)


def _serve_osc(parent: Connection) -> None:
    _end_with_the_parent()
    with osc_server() as server:
        parent.send(server.server_address[1])
        server.serve_forever(poll_interval=_PATIENCE_S)
