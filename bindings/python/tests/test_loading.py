"""Batches for training: sharding, shuffling, resuming."""

from __future__ import annotations

import io
import pickle
import time

import pyarrow
import pytest

import hypostyle as hy
from hypostyle.loading import Loader, parts_of
from hypostyle.progress import line, shown

ROWS = 1000


@pytest.fixture
def files(tmp_path) -> str:
    session = hy.Session(threads=1)
    for part in range(3):
        sql = f"SELECT x + {part * 300} AS x, range(x % 3) AS ids FROM range({300 if part < 2 else 400}) t(x)"
        session.sql(f"COPY ({sql}) TO '{tmp_path}/part {part}.parquet' (ROW_GROUP_SIZE 70)")
    return f"{tmp_path}/*.parquet"


def numbers(loader: Loader) -> list[int]:
    return [row[0] for batch in loader for row in batch.rows()]


def test_files_are_cut_at_their_row_groups(files: str) -> None:
    parts = parts_of(hy.Session(), [files])
    assert len(parts) > 3 and sum(part.rows for part in parts) == ROWS
    with pytest.raises(hy.UsageError, match="no file matches"):
        parts_of(hy.Session(), ["/nowhere/*.parquet"])


def test_batches_have_one_size_and_the_order_of_the_files(files: str) -> None:
    sizes = [batch.num_rows for batch in Loader(files, batch_size=64)]
    assert sizes == [64] * 15 + [40]
    assert numbers(Loader(files, batch_size=64)) == list(range(ROWS))
    assert len(numbers(Loader(files, batch_size=64, drop_last=True))) == 960
    assert numbers(Loader(files, batch_size=5000, prefetch=False)) == list(range(ROWS))


def test_features_are_queries_or_transforms(files: str) -> None:
    query = Loader(files, "SELECT x * 2 AS y FROM input WHERE x % 2 = 0", batch_size=100)
    assert numbers(query) == list(range(0, 2 * ROWS, 4))
    transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", f"'{files}'")
    scaled = numbers(Loader(files, transform, batch_size=100))
    assert scaled[0] == 0.0 and scaled[-1] == 1.0 and len(scaled) == ROWS
    table = pyarrow.table({"x": list(range(ROWS))})
    assert numbers(Loader(table, transform, batch_size=100, part_rows=170)) == scaled


def test_shards_together_have_every_row_once(files: str) -> None:
    for shuffle in (False, True):
        shards = [numbers(Loader(files, batch_size=16, shuffle=shuffle, shard=shard, shards=3)) for shard in range(3)]
        assert sorted(sum(shards, [])) == list(range(ROWS)) and all(shards)


def test_rows_are_shuffled_by_seed_and_epoch(files: str) -> None:
    def order(**settings: int) -> list[int]:
        return numbers(Loader(files, batch_size=32, shuffle=True, **settings))

    first = order(seed=1)
    assert first == order(seed=1) != list(range(ROWS)) and sorted(first) == list(range(ROWS))
    assert first != order(seed=2) and first != order(seed=1, epoch=1)
    loader = Loader(files, batch_size=32, shuffle=True, seed=1)
    assert numbers(loader) == first and loader.epoch == 1
    assert numbers(loader) == order(seed=1, epoch=1)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("taken", [0, 1, 5, 14, 31])
def test_a_loader_goes_on_in_the_middle_of_an_epoch(files: str, shuffle: bool, taken: int) -> None:
    settings = {"batch_size": 32, "shuffle": shuffle, "seed": 3}
    whole = [batch.rows() for batch in Loader(files, **settings)]
    loader = Loader(files, **settings)
    batches = iter(loader)
    for _ in range(taken):
        next(batches)
    state = pickle.loads(pickle.dumps(loader.state_dict()))
    resumed = Loader(files, **settings)
    resumed.load_state_dict(state)
    assert [batch.rows() for batch in resumed] == whole[taken:]


def test_tables_are_read_in_stretches() -> None:
    table = pyarrow.table({"x": list(range(100))})
    assert numbers(Loader(table, "SELECT x FROM input", batch_size=7, part_rows=13)) == list(range(100))
    assert numbers(Loader(table.slice(0, 0), batch_size=7)) == []
    shuffled = numbers(Loader(table, batch_size=7, part_rows=13, shuffle=True))
    assert sorted(shuffled) == list(range(100)) != shuffled


def test_wrong_settings_are_refused(files: str) -> None:
    for wrong in [{"batch_size": 0}, {"shard": 1}, {"shards": 0}, {"mixed_parts": 0}]:
        with pytest.raises(hy.UsageError):
            Loader(files, **wrong)
    with pytest.raises(hy.SqlError):
        list(Loader(files, "SELECT nothing FROM input"))


def test_batches_are_taken_and_joined() -> None:
    (batch,) = hy.sql("SELECT x, 'a' || x AS t FROM range(3) t(x)")
    assert batch.take([2, 0, 2]).rows() == [(2, "a2"), (0, "a0"), (2, "a2")]
    assert hy.Batch.concat([batch, batch.slice(1, 1)]).num_rows == 4
    with pytest.raises(IndexError):
        batch.take([3])
    (other,) = hy.sql("SELECT 1 AS y")
    with pytest.raises(hy.UsageError, match="different schemas"):
        hy.Batch.concat([batch, other])
    with pytest.raises(hy.UsageError):
        hy.Batch.concat([])


def test_progress_is_shown_and_wiped() -> None:
    to = io.StringIO()
    with shown(lambda: 0.25, to):
        time.sleep(0.8)
    assert line(0.25, 0) in to.getvalue() and to.getvalue().endswith("\r")
    quiet = io.StringIO()
    with shown(lambda: 0.25, quiet):
        pass
    assert quiet.getvalue() == ""
    assert hy.sql("SELECT 1 AS x").collect(progress=True).fetchall() == [(1,)]


def test_pytorch_reads_tensors(files: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from hypostyle.torch import Dataset, Jagged

    dataset = Dataset(files, "SELECT x, x::FLOAT AS f, ids FROM input", batch_size=64, shuffle=True)
    for workers in (0, 2):
        batches = list(torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers))
        assert sorted(torch.cat([batch["x"] for batch in batches]).tolist()) == list(range(ROWS))
        assert isinstance(batches[0]["ids"], Jagged)
        dataset.set_epoch(0)


def test_ray_actors_apply_a_transform() -> None:
    from hypostyle.ray import ApplyTransform

    transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", pyarrow.table({"x": [0, 4]}))
    assert ApplyTransform(transform)(pyarrow.table({"x": [1, 2]})).to_pydict() == {"x": [0.25, 0.5]}


@pytest.mark.filterwarnings("ignore")
def test_ray_data_maps_batches(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    import ray.data

    import hypostyle.ray
    from hypostyle.ray import ApplyTransform

    transform = hy.Session().fit("SELECT min_max_scale(x) AS x FROM input", pyarrow.table({"x": [0, 99]}))
    path = tmp_path / "scale.hyp"
    transform.save(path)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        rows = ray.data.range(100, override_num_blocks=4).map_batches(lambda table: table.rename_columns(["x"]), batch_format="pyarrow")
        scaled = rows.map_batches(ApplyTransform, fn_constructor_args=(str(path),), batch_format="pyarrow", concurrency=2)
        found = sorted(row["x"] for row in scaled.take_all())
        definition = "SELECT min_max_scale(standard_scale(x)) AS x FROM input"
        fitted = hypostyle.ray.fit(definition, rows)
        whole = hy.Session().fit(definition, pyarrow.table({"x": list(range(100))}))
        assert fitted.parameters() == whole.parameters()
    finally:
        ray.shutdown()
    assert found == [row[0] for row in transform.transform(pyarrow.table({"x": list(range(100))})).fetchall()]
