"""Transforms in Ray Data, on a local runtime with several worker processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pyarrow
import pytest

import hypostyle as hy
from hypostyle.ray import ApplyTransform

DEFINITION = """SELECT id, min_max_scale(standard_scale(price)) AS price, vocab_encode(city, min_count => 2) AS city,
                       quantile_bucketize(price, 8) AS bucket FROM input"""


def clicks(rows: int = 400) -> pyarrow.Table:
    return pyarrow.table(
        {
            "id": range(rows),
            "price": [None if x % 7 == 0 else (x * 37 % 101) / 3 for x in range(rows)],
            "city": [f"city {x * x % 13}" for x in range(rows)],
        }
    )


@pytest.fixture(scope="module")
def ray() -> Iterator[object]:
    os.environ["RAY_AUTH_MODE"] = "disabled"
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    import ray.data

    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, configure_logging=False)
    # Both actors of a pool are there before work is dealt out, else a quick one does all of it.
    ray.data.DataContext.get_current().wait_for_min_actors_s = 120
    yield ray
    ray.shutdown()


def test_an_actor_applies_a_transform_or_its_file(tmp_path) -> None:
    transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", pyarrow.table({"x": [0, 4]}))
    path = tmp_path / "scale.hyp"
    transform.save(path)
    for given in (transform, path, str(path)):
        assert ApplyTransform(given)(pyarrow.table({"x": [1, 2]})).to_pydict() == {"x": [0.25, 0.5]}


def test_batches_of_an_actor_do_not_depend_on_those_before_them() -> None:
    transform = hy.Session().fit("SELECT CAST(t AS INTEGER) + x AS y, upper(t) AS t FROM input", pyarrow.table({"x": [0], "t": ["1"]}))
    apply = ApplyTransform(transform, text="string_view")
    table = pyarrow.table({"x": range(3000), "t": [str(x % 5) for x in range(3000)]})
    for rows in [3000, 1, 0, 2049]:
        part = table.slice(3000 - rows)
        assert apply(part)["y"].to_pylist() == [x + x % 5 for x in range(3000 - rows, 3000)]
        assert apply(part.to_reader()).num_rows == rows
    with pytest.raises(hy.DataError, match="cannot cast"):
        apply(pyarrow.table({"x": [0, 1], "t": ["1", "one"]}))
    assert apply(table.slice(0, 2)).to_pydict() == {"y": [0, 2], "t": ["0", "1"]}
    assert apply(table).schema.field("t").type == pyarrow.string_view()
    assert ApplyTransform(transform)(table).schema.field("t").type == pyarrow.string()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", ["transform", "file"])
def test_actors_in_several_processes_give_what_one_session_gives(ray, given: str, tmp_path) -> None:
    table = clicks()
    transform = hy.Session().fit(DEFINITION, table)
    path = tmp_path / "clicks.hyp"
    transform.save(path)

    class Traced(ApplyTransform):
        """Adds the process to each row, and takes its time."""

        def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
            time.sleep(0.1)
            applied = super().__call__(batch)
            return applied.append_column("process", pyarrow.array([os.getpid()] * len(batch), pyarrow.int64()))

    dataset = ray.data.from_arrow([table.slice(start, 50) for start in range(0, 400, 50)])
    applied = dataset.map_batches(
        Traced,
        fn_constructor_args=(transform if given == "transform" else str(path),),
        batch_format="pyarrow",
        batch_size=25,
        compute=ray.data.ActorPoolStrategy(size=2, max_tasks_in_flight_per_actor=1),
    )
    rows = sorted(applied.take_all(), key=lambda row: row["id"])
    processes = {row.pop("process") for row in rows}
    assert rows == transform.transform(table).to_pylist()
    assert len(processes) == 2 and os.getpid() not in processes


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("blocks", [1, 5])
def test_a_distributed_fit_has_the_bits_of_one_fit(ray, blocks: int) -> None:
    import hypostyle.ray

    table = clicks()
    dataset = ray.data.from_arrow([table.slice(len(table) * block // blocks, len(table) // blocks) for block in range(blocks)])
    fitted = hypostyle.ray.fit(DEFINITION, dataset)
    whole = hy.Session().fit(DEFINITION, table)
    assert fitted.parameters() == whole.parameters()
    assert fitted.transform(table).fetchall() == whole.transform(table).fetchall()


@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_fails_in_a_task_says_why(ray) -> None:
    import hypostyle.ray

    with pytest.raises(Exception, match='no column "nothing"'):
        hypostyle.ray.fit("SELECT standard_scale(nothing) AS x FROM input", ray.data.from_arrow(clicks()))
