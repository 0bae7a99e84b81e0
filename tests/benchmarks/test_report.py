"""The benchmarks' report: what it makes of figures that are invented here, and charts that are the same every time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from costs import growth_of, read_costs
from findings import Finding, Group, InputError, Run, groups_of, judge, read_run, share_of_limit, slices_missing
from report import main


def result(ring: str, median: float | None, **changed: Any) -> dict[str, Any]:
    return {
        "work": "one way",
        "bytes": 32,
        "placement": "near",
        "ring": ring,
        "peer": ring != "cueline",
        "comparable": True,
        "unit": "M/s",
        "better": "more",
        "median": median,
        "low": median,
        "high": median,
        "slices": 40,
        **changed,
    }


def target(**bound: Any) -> dict[str, Any]:
    return {"work": "one way", "bytes": 32, "placement": "near", **bound}


def content(*results: Mapping[str, Any], targets: Any = (), limits: Any = ()) -> dict[str, Any]:
    return {
        "cueline": "0.1.0",
        "compiler": "g++ 12.2.0",
        "machine": {"cpu": "none", "cores": 2, "kernel": "6.1"},
        "limits": list(limits),
        "results": list(results),
        "targets": list(targets),
    }


def run_of(*results: Mapping[str, Any], targets: Any = (), limits: Any = ()) -> Run:
    return read_run(content(*results, targets=targets, limits=limits), "run")


def only_group(run: Run) -> Group:
    (group,) = groups_of(run.results)
    return group


def finding(ours: float, peers: float, **changed: Any) -> Finding:
    bound = {key: changed.pop(key) for key in ("at_least", "at_most") if key in changed}
    run = run_of(result("cueline", ours, **changed), result("rtrb", peers, **changed), targets=[target(**bound)])
    (found,) = judge(run, only_group(run))
    return found


@pytest.mark.parametrize(("ours", "met"), [(249.9, False), (250.0, True), (250.1, True)])
def test_at_least_is_met_from_the_bound_up(ours: float, met: bool) -> None:
    assert finding(ours, 100.0, at_least=2.5).met is met


@pytest.mark.parametrize(("ours", "met"), [(79.9, True), (80.0, True), (80.1, False)])
def test_at_most_is_met_from_the_bound_down(ours: float, met: bool) -> None:
    assert finding(ours, 100.0, at_most=0.8, unit="ns", better="less").met is met


def test_a_target_is_told_with_what_was_reached() -> None:
    assert (
        str(finding(310, 100, at_least=2.5)) == "cueline: target at least 2.5 times the best peer, reached 3.100: met"
    )
    assert str(finding(249.7, 100, at_least=2.5)).endswith("reached 2.497: not met")


@pytest.mark.parametrize(("better", "best"), [("more", 300), ("less", 100)])
def test_the_best_peer_is_the_best_in_the_direction_that_counts(better: str, best: float) -> None:
    rings = [result("a", 100, better=better), result("b", 300, better=better), result("cueline", 900, better=better)]
    assert only_group(run_of(*rings)).best_peer() == best


def test_neither_ours_nor_what_is_not_comparable_is_a_best_peer() -> None:
    group = only_group(run_of(result("cueline", 900), result("twice the slots", 500, comparable=False), result("a", 7)))
    assert group.best_peer() == 7
    assert group.ratio(group.results[1]) == pytest.approx(500 / 7)


@pytest.mark.parametrize(("better", "order"), [("more", ["c", "a", "b"]), ("less", ["a", "b", "c"])])
def test_groups_are_sorted_best_first_and_equals_by_name(better: str, order: list[str]) -> None:
    group = only_group(
        run_of(*(result(ring, median, better=better) for ring, median in [("b", 1), ("c", 2), ("a", 1)]))
    )
    assert [one.ring for one in group.results] == order


def test_equal_rings_have_the_ratio_one() -> None:
    group = only_group(run_of(result("cueline", 5), result("a", 5), result("b", 5)))
    assert [group.ratio(one) for one in group.results] == [1, 1, 1]


@pytest.mark.parametrize("other", [{"work": "round trip"}, {"bytes": 56}, {"placement": "far"}])
def test_only_equal_work_size_and_placement_are_compared(other: dict[str, Any]) -> None:
    elsewhere = [result("cueline", 5, **other), result("a", 400, **other)]
    run = run_of(result("cueline", 5), result("a", 4), *elsewhere, targets=[target(at_least=1)])
    groups = groups_of(run.results)
    assert [group.best_peer() for group in groups] == [4, 400]
    assert [found.ratio for group in groups for found in judge(run, group)] == [1.25]


def test_a_target_without_size_and_placement_is_for_all() -> None:
    rings = [result(ring, 5, bytes=size) for size in (32, 56) for ring in ("cueline", "a")]
    run = run_of(*rings, targets=[{"work": "one way", "at_least": 1}])
    assert [found.met for group in groups_of(run.results) for found in judge(run, group)] == [True, True]


def test_a_target_on_a_tail_is_judged_by_the_tail() -> None:
    rings = [result("cueline", 1, p99_9=90, better="less"), result("a", 100, p99_9=100, better="less")]
    run = run_of(*rings, targets=[target(at_most=0.8, figure="p99_9")])
    (found,) = judge(run, only_group(run))
    assert found.ratio == 0.9
    assert not found.met
    assert "in its p99.9" in str(found)


def test_without_a_peer_a_target_is_not_met_and_says_why() -> None:
    run = run_of(result("cueline", 5), targets=[target(at_least=1)])
    (found,) = judge(run, only_group(run))
    assert not found.met
    assert str(found).endswith("no peer to compare with")


@pytest.mark.parametrize(("better", "share"), [("more", 0.25), ("less", 4.0)])
def test_the_share_of_a_limit_is_one_when_all_is_reached(better: str, share: float) -> None:
    limits = [
        {"name": "streaming", "placement": "far", "unit": "M/s", "median": 1},
        {"name": "streaming", "placement": "near", "unit": "M/s", "median": 400},
    ]
    run = run_of(result("cueline", 100, better=better, limit="streaming"), limits=limits)
    assert share_of_limit(run, run.results[0]) == share


def test_a_limit_of_another_placement_is_none() -> None:
    limits = [{"name": "streaming", "placement": "far", "unit": "M/s", "median": 1}]
    run = run_of(result("cueline", 100, limit="streaming"), limits=limits)
    assert share_of_limit(run, run.results[0]) is None


def test_what_was_not_seen_is_told() -> None:
    far = {**target(at_least=1.5), "placement": "far"}
    run = run_of(result("cueline", 5), result("cueline", None, bytes=56, slices=0), targets=[target(at_least=1), far])
    assert slices_missing(run) == ["one way, 32 bytes, cores far apart", "one way, 56 bytes, cores near"]
    assert len(groups_of(run.results)) == 1


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ({"results": [{"work": "one way"}]}, r"results\[0\] has no 'bytes'"),
        ({"results": [result("a", 1, better="most")]}, "better is 'more' or 'less'"),
        ({"results": 3}, "results is no list"),
        ({"results": [], "targets": [target()]}, "either at_least or at_most"),
        ({"results": [], "targets": [target(at_least=1, at_most=2)]}, "either at_least or at_most"),
        ({"results": [], "targets": [target(at_least=1, figure="mean")]}, "no figure is named 'mean'"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(broken: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_run(broken, "run")


def google(medians: Mapping[int, float], share_percent: float = 0.1) -> dict[str, Any]:
    rows = [
        {
            "name": f"block_each/messages:{messages}/iterations:1",
            "run_type": "iteration",
            "iterations": 1,
            "real_time": 1.0,
            "time_unit": "ms",
            "median_ns": median,
            "share_percent": share_percent,
        }
        for messages, median in medians.items()
    ]
    alone = {"name": "push_and_pop", "run_type": "iteration", "real_time": 3.5, "time_unit": "ns"}
    return {"context": {"num_cpus": 2, "compiler": "g++"}, "benchmarks": [*rows, alone]}


def growth(medians: Mapping[int, float], share_percent: float = 0.1) -> Any:
    families = read_costs(google(medians, share_percent), "costs").families()
    return growth_of("block_each", families["block_each"])


LINEAR = {0: 30, 16: 190, 32: 350, 64: 670, 128: 1310, 256: 2590}


def test_ten_nanoseconds_a_message_are_linear() -> None:
    assert growth(LINEAR).per_message_ns == tuple((count, 10, 10) for count in LINEAR if count)
    assert growth(LINEAR).linear


@pytest.mark.parametrize("step_ns", [1000, -1000])
def test_a_step_is_not_linear(step_ns: float) -> None:
    stepped = {count: median + (step_ns if count >= 128 else 0) for count, median in LINEAR.items()}
    assert growth(stepped).linear is False


def test_the_square_of_the_messages_is_not_linear() -> None:
    assert growth({count: 30 + count * count for count in LINEAR}).linear is False


def test_too_few_rows_are_neither_linear_nor_not() -> None:
    assert growth({0: 30, 16: 190}).linear is None
    assert growth({16: 190, 32: 350}) is None


@pytest.mark.parametrize(("share_percent", "verdict"), [(1.999, "met"), (2.0, "not met"), (2.001, "not met")])
def test_the_share_of_a_block_is_met_below_its_target(share_percent: float, verdict: str) -> None:
    assert growth(LINEAR, share_percent).lines()[-1].endswith(f"%: {verdict}")


def write(path: Path, whole: object) -> str:
    path.write_text(json.dumps(whole))
    return str(path)


def full_content() -> dict[str, Any]:
    limits = [{"name": "streaming", "placement": "near", "unit": "M/s", "median": 900, "low": 880, "high": 910}]
    rings = [
        result("cueline", 600, limit="streaming", p99=900),
        result("a <b> & c 4.567", 200),
        result("d", 900, comparable=False),
    ]
    far = {**target(at_least=1.5), "placement": "far"}
    return content(*rings, targets=[target(at_least=2.5), far], limits=limits)


def test_the_whole_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write(tmp_path / "rings.json", full_content()), write(tmp_path / "costs.json", google(LINEAR))]
    assert main([*files, "--json", str(tmp_path / "all.json")]) == 0
    printed = capsys.readouterr().out
    for line in (
        "g++ 12.2.0",
        "one way, 32 bytes, cores near",
        "d (not compared)",
        "67 %",
        "target at least 2.5 times the best peer, reached 3.000: met",
        "cores far apart: no slices of ours were seen",
        "each further one costs 10.0 to 10.0 ns: linear",
        "push_and_pop",
    ):
        assert line in printed
    whole = json.loads((tmp_path / "all.json").read_text())
    assert whole["rings"][0]["findings"][0]["ratio"] == 3.0
    assert whole["costs"][0]["growth"][0]["linear"] is True


def test_charts_are_small_hold_text_and_are_the_same_every_time(tmp_path: Path) -> None:
    files = [write(tmp_path / "rings.json", full_content()), write(tmp_path / "costs.json", google(LINEAR))]
    for folder in ("one", "two"):
        assert main([*files, files[0], "--svg", str(tmp_path / folder)]) == 0
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert sorted(drawn) == ["engine-messages.svg", "one-way.svg"]
    assert drawn == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert b">cueline</text>" in drawn["one-way.svg"]
    assert b"a &lt;b&gt; &amp; c 4.567<" in drawn["one-way.svg"]
    assert b"dashed: the limit" in drawn["one-way.svg"]
    assert all(len(chart) < 60_000 for chart in drawn.values())


def test_the_cost_over_parameters_declared_and_over_parameters_changed_is_drawn(tmp_path: Path) -> None:
    costs = google({})
    for family, argument in [("block_with", "declared"), ("block_after_jumps", "changed"), ("block_after", "changed")]:
        costs["benchmarks"] += [
            {"name": f"{family}/{argument}:{count}/iterations:1", "real_time": 1.0, "median_ns": 30 + count}
            for count in (0, 64, 4096)
        ]
    assert main([write(tmp_path / "costs.json", costs), "--svg", str(tmp_path / "charts")]) == 0
    declared, changed = (tmp_path / f"charts/engine-{argument}.svg" for argument in ("declared", "changed"))
    assert "by parameters declared" in declared.read_text()
    assert "block_after" not in declared.read_text()
    for text in ("by parameters changed", ">block_after_jumps, g++<", ">block_after, g++<"):
        assert text in changed.read_text()


@pytest.mark.parametrize("broken", ["[]", "{}", "not json", '{"results": [3]}'])
def test_a_file_that_is_none_of_ours_is_an_error_in_one_line(
    broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text(broken)
    assert main([str(tmp_path / "x.json")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_run_that_saw_nothing_is_no_error(tmp_path: Path) -> None:
    file = write(tmp_path / "rings.json", content(result("cueline", None), targets=[target(at_least=1)]))
    assert main([file, "--svg", str(tmp_path / "charts")]) == 0
