"""The jitter experiment: which sound belongs to which note, and whether known delays are found."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cueline.commands.console import PlainConsole
from midi_jitter.__main__ import check
from midi_jitter.clicks import NOTES, click, note_of
from midi_jitter.delays import Account, RecordError, Summary, account_of, summarise
from midi_jitter.experiment import KNOWN, Known, Stage
from midi_jitter.report import PageError, Row, as_json, draw_jitter, markdown_of, put_into_page, table_of
from stall.jack import jack_server

programs = Path(__file__).parents[2] / "build/stall/benchmarks/midi_jitter"

built = pytest.mark.skipif(
    shutil.which("jackd") is None or not (programs / "cueline_notes").exists(),
    reason="needs jackd and what `make jitter` builds",
)


def sent(*notes: tuple[int, int]) -> list[str]:
    return [f"sent {frame} {note}" for frame, note in notes]


def heard(*onsets: tuple[int, int]) -> list[str]:
    """Sounds that begin at these frames, as the ear prints them."""
    return [
        f"heard {onset + place} {value:.6g}"
        for onset, note in onsets
        for place, value in enumerate(click(note))
        if value
    ]


def accounted(lines: list[str]) -> Account:
    return account_of(lines, 128)


def test_each_click_says_which_note_it_is_also_beside_another() -> None:
    both = click(7) + click(99)
    assert [note_of(value) for value in both if value] == [7, 99]
    assert [note_of(float(click(note).sum())) for note in range(NOTES)] == list(range(NOTES))


@pytest.mark.parametrize("value", [0.0, -1 / 256, 1.5 / 256, (NOTES + 1) / 256])
def test_a_sample_that_is_no_click_is_no_note(value: float) -> None:
    assert note_of(value) is None


def test_a_delay_is_from_the_note_to_the_beginning_of_its_sound() -> None:
    account = accounted(sent((1_000, 0), (1_700, 1), (2_600, 2)) + heard((1_000, 0), (1_792, 1), (9_000, 2)))
    assert account == Account(sent=3, delays=[0, 92, 6_400], extra=0)


def test_sounds_that_begin_together_or_out_of_order_belong_to_their_notes() -> None:
    account = accounted(sent((0, 0), (500, 1), (1_000, 2)) + heard((1_280, 1), (1_280, 0), (1_152, 2)))
    assert (sorted(account.delays), account.lost) == ([152, 780, 1_280], 0)


def test_a_note_without_a_sound_is_lost_and_takes_no_later_one() -> None:
    account = accounted(sent((0, 5), (500, 6), (100_000, 5)) + heard((600, 6), (100_010, 5)))
    assert (account.delays, account.lost) == ([100, 10], 1)


def test_a_sound_in_the_block_of_its_note_may_begin_before_it() -> None:
    account = accounted(sent((127, 0), (1_000, 1)) + heard((0, 0), (872, 1)))
    assert (account.delays, account.extra, account.lost) == ([-127], 1, 1)


def test_a_sound_that_is_heard_again_or_came_before_its_note_is_extra() -> None:
    account = accounted(sent((100, 3), (700, 4)) + heard((50, 4), (128, 3), (256, 3), (768, 4), (768, 9)))
    assert (sorted(account.delays), account.extra, account.lost) == ([28, 68], 3, 0)


@pytest.mark.parametrize("lines", [[], ["heard 5 0.5"], ["sent 0 0", "heard 0 0.3"], ["sent 0 0", "alas"]])
def test_a_record_that_is_none_is_refused(lines: list[str]) -> None:
    with pytest.raises(RecordError):
        accounted(lines)


def test_rounds_are_put_together_and_jitter_is_the_longest_delay_less_the_shortest() -> None:
    rounds = [Account(150, list(range(20, 120)), 1), Account(100, [*range(120, 219), 9_000], 2)]
    seen = summarise(rounds)
    assert seen == Summary(sent=250, lost=50, extra=3, least=20, median=119, p99=217, most=9_000)
    assert seen.jitter == 8_980


def test_rounds_of_a_silent_contender_have_no_delays() -> None:
    seen = summarise([Account(10, [], 0), Account(10, [], 4)])
    assert (seen, seen.jitter) == (Summary(20, 20, 4), None)


def row(contender: str, load: str, delays: list[int], lost: int = 0, *, realtime: bool = True) -> Row:
    seen = summarise([Account(len(delays) + lost, delays, 0)])
    return Row(load, contender, seen, {"MIDI received": len(delays)}, realtime)


some_rows = [
    row("sounddevice", "idle", [48, 96, 144]),
    row("cueline", "idle", [0] * 4),
    row("callback", "garbage", [48, 9_648], lost=1_234, realtime=False),
    row("send", "garbage", [], lost=3),
    row("cueline", "garbage", [0] * 4),
]


def test_the_table_has_frames_and_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    PlainConsole(least_width=160).print(table_of(some_rows, 48_000))
    printed = capsys.readouterr().out
    for words in (
        "96 (2.0 ms)",
        "144 (3.0 ms)",
        "9,600 (200.0 ms)",
        "1,234 of 1,236",
        "callback, without real-time priority",
        "0 (0.0 ms)",
        "none",
        "MIDI received 4",
    ):
        assert words in printed


def test_the_table_of_the_docs_replaces_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{markdown_of(some_rows[:1], 48_000, 'an old machine')}\n| other |\n\nafter\n")
    for _ in range(2):
        put_into_page(page, markdown_of(some_rows, 48_000, r"a \1 machine"))
    lines = page.read_text().splitlines()
    assert (lines[:2], lines[-6:]) == (["before", ""], ["", r"a \1 machine", "", "| other |", "", "after"])
    table = lines[2:-6]
    assert len(table) == 2 + len(some_rows)
    assert all(line.count("|") == 7 for line in table)
    assert table[3] == "| | cueline | 0 (0.0 ms) | 0 (0.0 ms) | 0 (0.0 ms) | 0 of 4 |"


@pytest.mark.parametrize("tables", [0, 2])
def test_a_page_without_one_place_for_the_table_is_refused(tmp_path: Path, tables: int) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n" + tables * markdown_of(some_rows, 48_000, "a machine"))
    before = page.read_text()
    with pytest.raises(PageError, match="one table with this head"):
        put_into_page(page, "table\n")
    assert page.read_text() == before


def test_the_page_that_make_jitter_writes_to_has_its_place(tmp_path: Path) -> None:
    page = tmp_path / "midi.md"
    page.write_text((Path(__file__).parents[2] / "docs/midi.md").read_text())
    put_into_page(page, "table\n")


def test_the_chart_says_jitter_and_losses_and_is_the_same_every_time(tmp_path: Path) -> None:
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        path = draw_jitter(folder, some_rows, samplerate=48_000, block_frames=128, caption="a <b> & c")
        drawn.append(path.read_text())
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) < 30_000
    for words in (
        ">cueline</text>",
        ">2.0 ms<",
        ">200.0 ms; 1,234 of 1,236 notes lost<",
        ">no note heard; 3 of 3 notes lost<",
        ">no jitter<",
        "one block, 2.67 ms",
        "a &lt;b&gt; &amp; c",
    ):
        assert words in drawn[0]


def test_the_json_has_rows_and_conditions() -> None:
    whole = json.loads(json.dumps(as_json(some_rows, {"rounds": 2})))
    assert (whole["rounds"], whole["rows"][2]["seen"]["lost"], whole["rows"][2]["jitter"]) == (2, 1_234, 9_600)


@dataclasses.dataclass(frozen=True)
class Invented(Stage):
    """A stage on which what is measured of known delays is invented."""

    seen: Callable[[Known], Summary] = lambda known: exact(known)

    def check(self, known: Known, seconds: float = 1) -> Summary:  # noqa: ARG002
        return self.seen(known)


def exact(known: Known) -> Summary:
    lost = 13 if known.left_out else 0
    return Summary(125, lost, 0, least=known.delay, median=known.delay, p99=9, most=known.delay + known.spread)


def test_measurements_that_find_what_is_known_pass_the_check() -> None:
    assert check(Invented({}, Path(), 128), PlainConsole())


@pytest.mark.parametrize("wrong", [{"least": 1}, {"most": 307}, {"lost": 12}, {"extra": 1}])
def test_measurements_that_find_something_else_fail_the_check(wrong: dict[str, int]) -> None:
    stage = Invented({}, Path(), 128, lambda known: dataclasses.replace(exact(known), **wrong))
    assert not check(stage, PlainConsole())


@built
@pytest.mark.parametrize("known", [*KNOWN, Known(400, 0, 1)])
def test_the_programs_measure_known_delays(tmp_path: Path, known: Known) -> None:
    """The last one leaves out each note."""
    with jack_server(tmp_path / "log", samplerate=48_000, block_frames=128) as environment:
        for _ in range(5):  # on a busy machine JACK leaves out cycles
            seen = Stage(environment, programs, 128).check(known)
            if known.left_out == 1:
                found = (seen.jitter, seen.lost, seen.extra) == (None, seen.sent, 0)
            else:
                found = known.found_in(seen)
            if found:
                return
    raise AssertionError(seen)


def test_clicks_are_exact_in_a_float() -> None:
    assert all(np.float32((note + 1) / 256) * 256 == note + 1 for note in range(NOTES))
