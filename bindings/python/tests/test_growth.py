"""Ten thousand queries and ten thousand row evaluators in one process leave nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy
import pyarrow
import pytest

import hypostyle as hy

COUNT = 10_000
#: Until then allocators and caches fill.
WARM_UP = 1_000
GROWTH_BYTES = 4 << 20


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def growth(work: Callable[[int], None], count: int) -> int:
    """Bytes that the process has grown by between the end of the warm-up and the last call."""
    for number in range(WARM_UP):
        work(number)
    gc.collect()
    before = resident_bytes()
    for number in range(WARM_UP, count):
        work(number)
    gc.collect()
    return resident_bytes() - before


@pytest.fixture(autouse=True)
def _where_memory_is_told() -> None:
    try:
        resident_bytes()
    except OSError:
        pytest.skip("this system does not tell what a process holds")


def test_ten_thousand_queries_leave_no_growth() -> None:
    session = hy.Session(threads=2)
    session.register("t", pyarrow.table({"x": numpy.arange(100), "k": [f"kind {x % 7}" for x in range(100)]}))

    def query(number: int) -> None:
        rows = session.sql(f"SELECT k, sum(x + {number}) AS s FROM t GROUP BY k ORDER BY k").fetchall()
        assert len(rows) == 7

    assert growth(query, COUNT) < GROWTH_BYTES


def test_results_that_are_given_up_leave_no_growth() -> None:
    session = hy.Session(threads=1)

    def give_up(number: int) -> None:
        next(iter(session.sql(f"SELECT x + {number} AS y, 'text number ' || x AS t FROM range(100000) t(x)")))

    assert growth(give_up, COUNT // 5) < GROWTH_BYTES


def test_ten_thousand_row_evaluators_leave_no_growth() -> None:
    session = hy.Session(threads=1)
    train = hy.sql("SELECT x::DOUBLE AS price, 'kind ' || x % 5 AS kind FROM range(100) t(x)").collect()
    transform = session.fit("SELECT standard_scale(price) AS price, vocab_encode(kind) AS kind, upper(kind) AS name FROM input", train)

    def evaluate(number: int) -> None:
        row = transform.row()
        for _ in range(3):
            assert row(price=float(number), kind="kind 3")["name"] == "KIND 3"

    assert growth(evaluate, COUNT) < GROWTH_BYTES


def test_pushed_runs_leave_no_growth() -> None:
    session = hy.Session(threads=1)
    session.register_input("events", hy.sql("SELECT 1::BIGINT AS x"))
    prepared = session.prepare("SELECT x * 2 AS y FROM events")
    batch = pyarrow.record_batch({"x": numpy.arange(50)})

    def push(number: int) -> None:
        run = prepared.start()
        assert sum(part.num_rows for part in run.push(batch)) == 50
        if number % 2:
            run.finish()

    assert growth(push, COUNT // 5) < GROWTH_BYTES
