"""Threads, signal handlers, __del__, forked children, and the end of the interpreter."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

import cueline
from conftest import eventually, in_child, require, thread_numbers
from cueline import Status


def test_many_python_threads_are_one_producer_and_one_consumer(running: cueline.AudioEngine) -> None:
    each, threads = 3000, 4
    received: list[int] = []
    lock = threading.Lock()
    under_way = threading.Semaphore(1000)  # fewer than the event ring holds: it drops nothing however late we read

    def send() -> None:
        for _ in range(each):
            under_way.acquire()
            while running.ping() is Status.FULL:
                time.sleep(0.001)

    def receive() -> None:
        while True:
            with lock:
                if len(received) == each * threads:
                    return
                for message in running.messages():
                    received.append(message.sequence)
                    under_way.release()
            time.sleep(0.001)

    workers = [threading.Thread(target=send) for _ in range(threads)]
    workers += [threading.Thread(target=receive) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert received == list(range(1, each * threads + 1)), "none lost, none twice, in order"
    assert running.stats().events.dropped == 0


def test_start_stop_and_close_from_many_threads_at_once() -> None:
    for _ in range(10):
        engine = cueline.AudioEngine("null")

        def churn(engine: cueline.AudioEngine = engine) -> None:
            try:
                for _ in range(20):
                    engine.start()
                    engine.ping()
                    engine.stop()
            except cueline.ClosedError:
                pass

        workers = [threading.Thread(target=churn) for _ in range(4)]
        for worker in workers:
            worker.start()
        time.sleep(0.005)
        engine.close()
        for worker in workers:
            worker.join(30)
            assert not worker.is_alive()
        blocks = engine.stats().blocks
        time.sleep(0.01)
        assert engine.stats().blocks == blocks, "no start came in after the close"


@pytest.mark.parametrize("use", ["ping", "receive_msg", "stats", "stop", "start", "close"])
def test_from_a_signal_handler(use: str) -> None:
    engine = cueline.AudioEngine("null")
    engine.start()
    calls = 0

    def handler(*_: object) -> None:
        nonlocal calls
        getattr(engine, use)()
        calls += 1

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        deadline = time.monotonic() + 60
        while calls < 50 and time.monotonic() < deadline:
            try:
                engine.ping()
                engine.receive_msg()
                engine.stop()
                engine.start()
            except cueline.ClosedError:
                assert use == "close"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls >= 50
    engine.close()


def test_from_del() -> None:
    engine = cueline.AudioEngine("null")
    engine.start()
    statuses = []

    class Farewell:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            statuses.append(engine.ping())
            engine.close()

    Farewell()
    gc.collect()
    assert statuses == [Status.OK]
    assert engine.closed


def test_an_engine_that_is_dropped_takes_its_thread_along() -> None:
    before = thread_numbers()
    engine = cueline.AudioEngine("null")
    engine.start()
    its_own = thread_numbers() - before
    assert len(its_own) == 1
    del engine
    gc.collect()
    assert eventually(lambda: not its_own & thread_numbers())


# --- Forked children


@pytest.mark.parametrize("device", ["null", "offline"])
@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_forked_child_gets_an_error_and_the_parent_goes_on(device: str, state: str) -> None:
    engine = cueline.AudioEngine(device)
    engine.start()
    if state == "stopped":
        engine.stop()

    def use_it_all() -> None:
        uses: list[Callable[[], object]] = [
            engine.ping,
            engine.receive_msg,
            engine.receive,
            engine.start,
            engine.stop,
            engine.stats,
        ]
        for use in uses:
            with pytest.raises(cueline.ForkedError, match="belongs to the parent process"):
                use()
        engine.close()  # nothing to close here, and no error: `with` calls it too

    assert in_child(use_it_all) == 0
    engine.start()
    engine.ping()
    if device == "offline":
        engine.render(1)
    assert engine.receive(timeout=10).sequence == 1
    engine.close()


def test_a_forked_child_gets_an_error_for_a_playback_that_another_thread_was_writing() -> None:
    with cueline.AudioEngine("offline") as engine:
        playback = engine.open_playback()
        holds, forked = threading.Event(), threading.Event()

        def write() -> None:
            with playback._writing:  # as while samples are being converted
                holds.set()
                forked.wait(60)

        writer = threading.Thread(target=write)
        writer.start()
        holds.wait()

        def use_it() -> None:
            for use in (playback.clear, playback.drain):
                with pytest.raises(cueline.ForkedError):
                    use()

        assert in_child(use_it) == 0
        forked.set()
        writer.join()


def test_a_forked_child_may_drop_the_engine() -> None:
    engines = [cueline.AudioEngine("null")]
    engines[0].start()

    def drop() -> None:
        engines.clear()
        gc.collect()

    assert in_child(drop) == 0
    assert engines[0].ping() is Status.OK
    engines[0].close()


def test_a_forked_child_of_a_rendering_parent_ends_at_once() -> None:
    """The child's exit waits for its own rendering threads, not for those of its parent."""
    program = """
import os, sys, threading, time, warnings, cueline
warnings.simplefilter("ignore")
bounce = cueline.AudioEngine("offline", blocksize=1)
def render():
    try: bounce.render(1_000_000_000)
    except cueline.ClosedError: pass
threading.Thread(target=render).start()
while bounce.stats().frames == 0: time.sleep(0.01)
child = os.fork()
if child == 0:
    sys.exit(0)
_, _, usage = os.wait4(child, 0)
print("at once" if usage.ru_nvcsw < 500 else "late")  # a wait for threads sleeps 5000 times
bounce.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "at once\n", done.stderr


def test_a_forked_child_may_make_its_own() -> None:
    engine = cueline.AudioEngine("null")
    engine.start()

    def make() -> None:
        with cueline.AudioEngine("null") as own:
            own.ping()
            assert own.receive(timeout=10).sequence == 1

    assert in_child(make) == 0
    engine.close()


def warnings_of_forks(engine: str, forks: str) -> list[str]:
    """Run a process that forks while ``engine`` is there, and return the warnings of its forks."""
    program = f"""
import multiprocessing, os, subprocess, sys, warnings, cueline
def fork():
    child = os.fork()
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
def forks():
    {forks}
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    {engine}
for warning in warned:
    if "an engine runs" in str(warning.message): print(warning.category.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_a_fork_while_an_engine_runs_gives_one_warning() -> None:
    running = "\n    with cueline.AudioEngine('null'): forks()"
    assert warnings_of_forks(running, "fork(); fork()") == ["RuntimeWarning"]
    assert warnings_of_forks(running, "subprocess.run([sys.executable, '-c', ''])") == []


def test_a_fork_without_a_running_engine_gives_none() -> None:
    for device, acts in {"null": "start(); engine.close()", "offline": "start()"}.items():
        assert warnings_of_forks(f"engine = cueline.AudioEngine('{device}'); engine.{acts}; forks()", "fork()") == []


# --- The end of the interpreter, and its beginning


def test_the_package_can_be_imported_afresh() -> None:
    """Some test runners and notebooks empty sys.modules."""
    require("libportaudio.so.2")  # without it, "loud" is refused for another reason
    program = """
import sys, cueline
old = cueline.AudioEngine("offline")
for name in [name for name in sys.modules if name.startswith("cueline")]: del sys.modules[name]
import cueline
engine = cueline.AudioEngine("offline")
engine.ping(); engine.render(1); print(engine.receive(timeout=0), cueline.Status.OK, old.ping())
try: cueline.AudioEngine("loud")
except cueline.ArgumentError: print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "refused"


def test_a_fresh_import_has_the_same_types_though_all_of_the_old_one_is_gone() -> None:
    program = """
import gc, sys, cueline
for _ in range(3):
    del cueline
    for name in [name for name in sys.modules if name.startswith("cueline")]: del sys.modules[name]
    gc.collect()
    import cueline
    engine = cueline.AudioEngine("offline")
    print(engine.ping() is cueline.Status.OK)
    engine.render(1)
    print(type(engine.receive_msg()) is cueline.Pong)
    del engine
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "True\n" * 6)


ENDINGS = {
    "a global engine that runs": "engine.start()",
    "an engine that never started": "",
    "an engine in a cycle": "engine.start(); cycle = [engine]; cycle.append(cycle)",
    "an engine that nobody will ever let go of": "engine.start(); ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))",
    "an engine held by a module that goes late": "engine.start(); sys.engine = engine",
    "an engine used as everything ends": """
engine.start()
class Last:
    def __del__(self, write=os.write):
        try:
            engine.ping(); engine.receive_msg(); engine.stop(); engine.close()
        except BaseException as error:
            write(2, repr(error).encode())  # sys.stderr has gone
last = Last(); sys.last = last; del last
""",
    "counters read as the globals end": """
class Last:
    def __init__(self):
        self.engine, self.line = engine, engine.open_line()
    def __del__(self, write=os.write):
        try:
            self.engine.stats(), self.line.stats()
        except BaseException as error:
            write(2, repr(error).encode())
last = Last()
""",
    "an engine used and closed at exit": "engine.start(); atexit.register(lambda: (engine.ping(), engine.close()))",
    "an engine made at exit": """
def late():
    global second
    second = cueline.AudioEngine('null'); second.start(); second.ping()
atexit.register(late)
""",
    "a daemon thread that waits": "engine.start(); daemon(engine.receive)",
    "a daemon thread that pings": """
engine.start()
def flood():
    while True: engine.ping(); engine.receive_msg()
daemon(flood)
""",
    "a daemon thread that starts and stops": """
def churn():
    while True: engine.start(); engine.stop()
daemon(churn)
""",
    "daemon threads that run their own code while they make engines": """
class Slow:
    def __index__(self):
        for _ in range(300): pass
        return 64
def make():
    while True: cueline.AudioEngine('null', blocksize=Slow())
daemon(make); daemon(make)
""",
    "a daemon thread in a long render": """
bounce = cueline.AudioEngine('offline', blocksize=1)
daemon(lambda: bounce.render(1_000_000_000))
""",
}


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.replace(" ", "-"))
def test_leaving_the_interpreter_is_clean(ending: str) -> None:
    program = f"""
import atexit, contextlib, ctypes, os, sys, threading, time
import cueline
def daemon(target):
    def run():
        with contextlib.suppress(cueline.ClosedError): target()
    threading.Thread(target=run, daemon=True).start()
    time.sleep(0.05)
engine = cueline.AudioEngine('null')
{ENDINGS[ending]}
engine.ping() if not engine.closed else None
"""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
