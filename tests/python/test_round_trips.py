"""The arithmetic of round trips."""

from __future__ import annotations

import pytest

from cueline.commands.round_trips import RoundTrip, RoundTrips, Spread


def trip(total_ns: int) -> RoundTrip:
    return RoundTrip(sequence=1, frame=0, send_ns=0, block_ns=0, look_ns=total_ns)


def total(one: RoundTrip) -> int:
    return one.total_ns


def test_the_parts_make_up_the_whole() -> None:
    one = RoundTrip.measured(1, 0, called_ns=100, returned_ns=110, block_ns=150, seen_ns=175)
    assert (one.send_ns, one.block_ns, one.look_ns, one.total_ns) == (10, 40, 25, 75)


def test_a_block_that_was_under_way_costs_no_wait() -> None:
    one = RoundTrip.measured(1, 0, called_ns=100, returned_ns=110, block_ns=90, seen_ns=175)
    assert (one.send_ns, one.block_ns, one.look_ns, one.total_ns) == (10, 0, 65, 75)


@pytest.mark.parametrize(("count", "p99"), [(1, 1), (10, 10), (100, 99), (101, 100), (1000, 990)])
def test_p99_is_the_least_that_99_percent_do_not_exceed(count: int, p99: int) -> None:
    trips = RoundTrips()
    for ns in reversed(range(1, count + 1)):
        trips.add(trip(ns))
    assert trips.spread(total) == Spread(min=1, median=(count + 1) // 2, avg=(count + 1) / 2, p99=p99, max=count)


def test_no_round_trip_has_no_spread() -> None:
    assert RoundTrips().spread(total) is None


def test_memory_is_bounded_and_the_sample_is_fair() -> None:
    trips = RoundTrips(seed=1)
    for ns in range(400_000):
        trips.add(trip(ns))
    assert trips.count == 400_000
    assert len(trips.kept) == 100_000
    spread = trips.spread(total)
    assert spread is not None
    assert spread.avg == pytest.approx(200_000, rel=0.01)
