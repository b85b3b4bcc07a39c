"""Batches for training: sharding, shuffling, resuming."""

from __future__ import annotations

import gc
import glob
import io
import pathlib
import pickle
import time

import pyarrow
import pyarrow.dataset
import pytest

import hypostyle as hy
from hypostyle.loading import Loader, parts_of
from hypostyle.progress import line, shown

ROWS = 1000
#: The numbers below 12, shuffled with seed 7. Stored states of training rely on it.
SHUFFLED = [8, 7, 11, 10, 6, 2, 1, 3, 5, 9, 0, 4]


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


def test_results_and_readers_that_are_read_once_serve_every_epoch() -> None:
    reader = pyarrow.table({"x": list(range(100))}).to_reader(max_chunksize=9)
    for rows in (hy.sql("SELECT x FROM range(100) t(x)"), reader, {"x": list(range(100))}):
        loader = Loader(rows, batch_size=30)
        assert numbers(loader) == numbers(loader) == list(range(100))


def test_queries_run_once_into_a_file_that_goes_away(files: str) -> None:
    loader = Loader(f"(SELECT x, max(x) OVER () AS m FROM '{files}' WHERE x < 500)", batch_size=64, part_rows=100)
    folder = pathlib.Path(loader._file).parent
    assert [batch.rows()[0] for batch in loader][:2] == [(0, 499), (64, 499)]
    assert sorted(numbers(Loader(f"(FROM '{files}')", batch_size=64, part_rows=100, shuffle=True))) == list(range(ROWS))
    copy = pickle.loads(pickle.dumps(loader))
    assert numbers(copy) == numbers(loader) == list(range(500))
    del copy
    assert folder.exists()
    del loader
    gc.collect()
    assert not folder.exists()


def test_datasets_of_pyarrow_are_read_once(files: str) -> None:
    dataset = pyarrow.dataset.dataset(sorted(glob.glob(files)))
    assert numbers(Loader(dataset, batch_size=64)) == list(range(ROWS))


def test_a_pickled_loader_leaves_its_rows_in_a_file() -> None:
    loader = Loader(pyarrow.table({"x": list(range(100))}), batch_size=7, part_rows=13, shuffle=True)
    content = pickle.dumps(loader)
    assert len(content) < 1000
    copy = pickle.loads(content)
    assert sorted(numbers(copy)) == list(range(100)) and numbers(pickle.loads(content)) == numbers(loader)


@pytest.mark.parametrize("shards", [2, 3, 7])
def test_few_parts_are_divided_among_many_shards(tmp_path, shards: int) -> None:
    path = tmp_path / "one.csv"
    hy.sql(f"COPY (SELECT x FROM range(100) t(x)) TO '{path}'")
    for rows in (path, pyarrow.table({"x": list(range(100))})):
        shares = [numbers(Loader(rows, batch_size=16, shard=shard, shards=shards)) for shard in range(shards)]
        assert sorted(sum(shares, [])) == list(range(100))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    few = pyarrow.table({"x": [1]})
    assert [numbers(Loader(few, shard=shard, shards=shards)) for shard in range(shards)].count([1]) == 1


def test_an_iterator_that_is_given_up_does_not_count(files: str) -> None:
    loader = Loader(files, batch_size=32, shuffle=True)
    first = next(iter(loader)).rows()
    assert next(iter(loader)).rows() == first
    left, right = iter(loader), iter(loader)
    assert [next(left).rows(), next(right).rows()] == [first, first]
    assert next(left).rows() == next(right).rows() != first
    assert [row[0] for row in first] == numbers(loader)[:32]
    assert next(iter(loader)).rows() != first and loader.state_dict()["epoch"] == 1


def test_the_end_of_an_epoch_is_a_place_too(files: str) -> None:
    loader = Loader(files, batch_size=300)
    batches = iter(loader)
    for _ in range(4):
        next(batches)
    resumed = Loader(files, batch_size=300)
    resumed.load_state_dict(loader.state_dict())
    assert numbers(resumed) == []
    assert numbers(resumed) == list(range(ROWS)) and resumed.epoch == 2


def test_a_shuffle_is_the_same_everywhere() -> None:
    (batch,) = hy.sql("SELECT x FROM range(12) t(x)")
    assert [row[0] for row in batch.shuffled(7).rows()] == SHUFFLED
    assert batch.slice(0, 0).shuffled(7).rows() == [] and batch.slice(3, 1).shuffled(7).rows() == [(3,)]
    counts = [[0] * 4 for _ in range(4)]
    four = batch.slice(0, 4)
    for seed in range(4000):
        for place, (x,) in enumerate(four.shuffled(seed).rows()):
            counts[place][x] += 1
    assert all(880 < count < 1120 for row in counts for count in row)


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
