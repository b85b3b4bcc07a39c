"""Tensors of PyTorch: of results without copying, and of datasets in data loaders with several workers."""

from __future__ import annotations

import importlib.util
import multiprocessing
import pathlib
import sys

import pyarrow
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

import hypostyle as hy  # noqa: E402
from hypostyle.torch import Dataset, Jagged  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")

ROWS = 1000
FEATURES = "SELECT x, x::FLOAT AS f, [x, -x]::FLOAT[2] AS e, ids FROM input"
#: Where the samples lie beside a checkout; the tests make data of their own otherwise.
SAMPLES = pathlib.Path(__file__).parents[4] / "shared" / "data" / "recsys"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rows")
    session = hy.Session(threads=1)
    for part in range(3):
        sql = f"SELECT x + {part * 300} AS x, range((x + {part * 300}) % 3) AS ids FROM range({300 if part < 2 else 400}) t(x)"
        session.sql(f"COPY ({sql}) TO '{folder}/part {part}.parquet' (ROW_GROUP_SIZE 70)")
    return f"{folder}/*.parquet"


def numbers(batches) -> list[int]:
    return [number for batch in batches for number in batch["x"].tolist()]


# Results.


@pytest.mark.parametrize(
    ("type_name", "dtype"),
    [("TINYINT", "int8"), ("SMALLINT", "int16"), ("INTEGER", "int32"), ("BIGINT", "int64"), ("UTINYINT", "uint8"),
     ("USMALLINT", "uint16"), ("UINTEGER", "uint32"), ("UBIGINT", "uint64"), ("HALF", "float16"), ("FLOAT", "float32"),
     ("DOUBLE", "float64")],
)
def test_numbers_become_tensors_where_they_lie(type_name: str, dtype: str) -> None:
    result = hy.sql(f"SELECT x::{type_name} AS x FROM range(100) t(x)").collect()
    (batch,) = result
    column = batch.column("x")
    address = pyarrow.array(column).buffers()[1].address
    assert result.to_torch()["x"].data_ptr() == address
    tensor = torch.from_dlpack(column.__dlpack__())
    assert tensor.data_ptr() == address and tensor.dtype == getattr(torch, dtype)
    assert [int(number) for number in tensor.tolist()] == list(range(100))


def test_embeddings_become_matrices_where_they_lie() -> None:
    result = hy.sql("SELECT [x, x + 0.5, -x]::FLOAT[3] AS e FROM range(4) t(x)").collect()
    (batch,) = result
    tensor = result.to_torch()["e"]
    assert tensor.shape == (4, 3) and tensor.is_contiguous() and tensor[2].tolist() == [2.0, 2.5, -2.0]
    assert tensor.data_ptr() == pyarrow.array(batch.column("e")).values.buffers()[1].address
    part = torch.from_dlpack(batch.slice(1, 2).column("e").__dlpack__())
    assert part.data_ptr() == tensor.data_ptr() + 3 * 4 and part[0].tolist() == [1.0, 1.5, -1.0]


def test_memory_of_other_libraries_becomes_tensors_through_a_session() -> None:
    array = pyarrow.array([float(x) for x in range(1000)])
    session = hy.Session(threads=1)
    tensor = session.sql("SELECT x FROM t", t={"x": array}).to_torch()["x"]
    assert tensor.data_ptr() == array.buffers()[1].address
    del session
    assert tensor.sum().item() == 499_500


def test_every_kind_of_column_has_a_form() -> None:
    tensors = hy.sql(
        """SELECT x, x::FLOAT AS f, [x, 1]::FLOAT[2] AS e, CASE WHEN x <> 1 THEN x END AS n, x > 1 AS b, range(x) AS ids, 'a' || x AS t,
                  CASE WHEN x <> 1 THEN x::FLOAT END AS nf, DATE '1970-01-02' + x::INTEGER AS d, x::DECIMAL(9, 2) AS dec,
                  TIMESTAMP '1970-01-01 00:00:01' AS ts, CASE WHEN x <> 1 THEN [x::DOUBLE] END AS w,
                  CASE WHEN x <> 1 THEN [x, 1]::FLOAT[2] END AS ne, CASE WHEN x <> 1 THEN x > 1 END AS nb
           FROM range(3) t(x)"""
    ).to_torch()
    assert tensors["x"].dtype == torch.int64 and tensors["f"].dtype == torch.float32 and tensors["e"].shape == (3, 2)
    assert tensors["n"].dtype == torch.float64 and torch.isnan(tensors["n"][1]) and tensors["n"][2] == 2
    assert tensors["nf"].dtype == torch.float32 and torch.isnan(tensors["nf"][1])
    assert tensors["b"].dtype == torch.bool and tensors["b"].tolist() == [False, False, True]
    assert tensors["nb"] == [False, None, True]
    assert tensors["ids"].values.tolist() == [0, 0, 1] and tensors["ids"].offsets.tolist() == [0, 0, 1, 3]
    assert tensors["w"].values.dtype == torch.float64 and tensors["w"].lengths.tolist() == [1, 0, 1]
    assert torch.isnan(tensors["ne"][1]).all() and tensors["ne"].shape == (3, 2)
    assert tensors["t"] == ["a0", "a1", "a2"]
    assert tensors["d"].tolist() == [1, 2, 3] and tensors["ts"].tolist() == [1_000_000] * 3
    assert [str(number) for number in tensors["dec"]] == ["0.00", "1.00", "2.00"]


def test_results_without_rows_are_tensors_without_elements() -> None:
    tensors = hy.sql("SELECT 1 AS x, [1.5, 2]::FLOAT[2] AS e, [1] AS ids, true AS b, 'a' AS t WHERE false").to_torch()
    assert tensors["x"].shape == (0,) and tensors["e"].shape == (0, 2) and tensors["b"].shape == (0,) and tensors["t"] == []
    assert tensors["ids"].values.shape == (0,) and tensors["ids"].offsets.tolist() == [0]


def test_jagged_lists_feed_embedding_bags() -> None:
    ids = hy.sql("SELECT ids FROM (VALUES ([1, 2]), ([]), (NULL), ([3])) t(ids)").to_torch()["ids"]
    bag = torch.nn.EmbeddingBag(5, 3, mode="sum", include_last_offset=True)
    pooled = bag(ids.values, ids.offsets)
    assert torch.equal(pooled[0], bag.weight[1] + bag.weight[2]) and not pooled[1:3].any()
    pooled.sum().backward()
    assert bag.weight.grad.sum(1).tolist() == [0, 3, 3, 3, 0]


# Datasets.


@pytest.mark.parametrize("context", ["none", "fork", "spawn"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_workers_together_give_every_row_once(files: str, context: str, shuffle: bool) -> None:
    dataset = Dataset(files, FEATURES, batch_size=64, shuffle=shuffle)
    workers = {} if context == "none" else {"num_workers": 3, "multiprocessing_context": context}
    batches = list(DataLoader(dataset, batch_size=None, **workers))
    assert sorted(numbers(batches)) == list(range(ROWS))
    for batch in batches:
        assert isinstance(batch["ids"], Jagged)
        assert torch.equal(batch["f"], batch["x"].float()) and torch.equal(batch["e"][:, 1], -batch["f"])
        assert torch.equal(batch["ids"].lengths, batch["x"] % 3)
        assert len(batch["ids"].values) == batch["ids"].offsets[-1]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_transforms_queries_and_tables_reach_workers(files: str, context: str) -> None:
    session = hy.Session(threads=2)
    transform = session.fit("SELECT x, min_max_scale(x) AS s FROM input", f"'{files}'")
    transform.transform(f"'{files}'").fetchall()
    table = pyarrow.table({"x": list(range(ROWS))})
    for source in (files, f"(SELECT x FROM '{files}' ORDER BY x)", table, session.sql("SELECT x FROM range(1000) t(x)")):
        dataset = Dataset(source, transform, batch_size=100, part_rows=150)
        batches = list(DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=context))
        assert sorted(numbers(batches)) == list(range(ROWS))
        assert all(torch.equal(batch["s"], batch["x"].double() / 999) for batch in batches)


def test_ranks_and_workers_share_the_rows(files: str) -> None:
    shares = [
        numbers(DataLoader(Dataset(files, batch_size=16, shuffle=True, rank=rank, world_size=2), batch_size=None, num_workers=2))
        for rank in range(2)
    ]
    assert all(shares) and sorted(sum(shares, [])) == list(range(ROWS))


def test_the_rank_is_asked_of_the_environment(files: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(numbers(Dataset(files, batch_size=16)))
    assert sorted(sum(shares, [])) == list(range(ROWS)) and all(shares)


def _rank(rank: int, port: int, files: str, context: str, found: object) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    dataset = Dataset(files, batch_size=16, shuffle=True)
    found.put(numbers(DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=context)))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_the_rank_is_asked_of_the_process_group_also_for_workers_that_are_spawned(files: str, context: str) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn = multiprocessing.get_context("spawn")
    found = spawn.Queue()
    ranks = [spawn.Process(target=_rank, args=(rank, port, files, context, found)) for rank in range(2)]
    for rank in ranks:
        rank.start()
    shares = [found.get(timeout=120) for _ in ranks]
    for rank in ranks:
        rank.join(60)
    assert sorted(sum(shares, [])) == list(range(ROWS)) and all(shares)


@pytest.mark.parametrize("persistent", [False, True])
def test_each_epoch_that_is_set_has_an_order_of_its_own(files: str, persistent: bool) -> None:
    dataset = Dataset(files, batch_size=32, shuffle=True, seed=5)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, persistent_workers=persistent)
    orders = []
    for epoch in (0, 1, 2, 0):
        dataset.set_epoch(epoch)
        orders.append(numbers(loader))
        assert sorted(orders[-1]) == list(range(ROWS))
    assert orders[0] == orders[3] and len({tuple(order) for order in orders}) == 3


def test_epochs_follow_one_another_where_nobody_sets_them(files: str) -> None:
    dataset = Dataset(files, batch_size=32, shuffle=True)
    first, second = numbers(dataset), numbers(dataset)
    assert first != second and sorted(first) == sorted(second)
    dataset.set_epoch(0)
    assert numbers(dataset) == first


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("taken", [0, 1, 7, 31, 32])
def test_a_dataset_goes_on_in_the_middle_of_an_epoch(files: str, taken: int, prefetch: bool) -> None:
    settings = {"batch_size": 32, "shuffle": True, "seed": 3, "prefetch": prefetch}
    whole = [batch["x"].tolist() for batch in Dataset(files, **settings)]
    dataset = Dataset(files, **settings)
    batches = iter(dataset)
    for _ in range(taken):
        next(batches)
    resumed = Dataset(files, **settings)
    resumed.load_state_dict(dataset.state_dict())
    assert [batch["x"].tolist() for batch in resumed] == whole[taken:]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [1, 9, 20, 31, 32])
def test_stateful_data_loaders_save_and_restore_the_place_of_every_worker(files: str, workers: int, taken: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed")

    def loader() -> object:
        dataset = Dataset(files, batch_size=32, shuffle=True, seed=3)
        return stateful.StatefulDataLoader(dataset, batch_size=None, num_workers=workers)

    whole = [batch["x"].tolist() for batch in loader()]
    interrupted = loader()
    batches = iter(interrupted)
    for _ in range(taken):
        next(batches)
    state = interrupted.state_dict()
    resumed = loader()
    resumed.load_state_dict(state)
    assert [batch["x"].tolist() for batch in resumed] == whole[taken:]
    resumed.dataset.set_epoch(0)
    assert [batch["x"].tolist() for batch in resumed] == whole


def test_an_error_reaches_the_process_that_trains(files: str) -> None:
    with pytest.raises(hy.DataError, match="could not convert|cannot cast"):
        list(DataLoader(Dataset(files, "SELECT ('a' || x)::INTEGER AS y FROM input"), batch_size=None))
    with pytest.raises(Exception, match='no column "nothing"'):
        list(DataLoader(Dataset(files, "SELECT nothing FROM input"), batch_size=None, num_workers=1))


# The example that trains.


@pytest.fixture(scope="module")
def example():
    path = pathlib.Path(__file__).parents[1] / "examples" / "train_dlrm.py"
    spec = importlib.util.spec_from_file_location("train_dlrm", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["train_dlrm"] = module
    spec.loader.exec_module(module)
    return module


def test_the_example_trains_on_rows_of_criteo(example, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    path = SAMPLES / "deepctr" / "criteo_sample.txt"
    if not path.exists():
        path = tmp_path / "criteo.csv"
        counts = ", ".join(f"CASE WHEN x % 7 <> {n % 7} THEN (x * {n}) % 50 END AS I{n}" for n in range(1, 14))
        categories = ", ".join(f"CASE WHEN x % 11 <> {n % 11} THEN 'c' || (x % {n + 1}) END AS C{n}" for n in range(1, 27))
        hy.sql(f"COPY (SELECT (x % 3 = 0)::INTEGER AS label, {counts}, {categories} FROM range(200) t(x)) TO '{path}'")
    saved = tmp_path / "features.hyp"
    outcome = example.main(["criteo", str(path), "--steps", "60", "--epochs", "20", "--batch-size", "32", "--save", str(saved)])
    assert len(outcome.losses) == 60 and outcome.last_loss < outcome.first_loss - 0.1
    assert 0 <= outcome.area_under_curve <= 1
    assert "AUC" in capsys.readouterr().out
    row = hy.Session().load(saved).row(["dense", "C1"])
    assert len(row(**dict.fromkeys(row.inputs.names))["dense"]) == 13


def test_the_example_learns_what_users_like(example, tmp_path) -> None:
    path = SAMPLES / "ml-latest-small"
    if not path.exists():
        path = tmp_path
        hy.sql(f"COPY (SELECT x AS movieId, 'Genre ' || (x % 3) || '|All' AS genres FROM range(60) t(x)) TO '{path}/movies.csv'")
        rating = "CASE WHEN (u * 7 + m) % 3 = 0 OR m % 4 = 0 THEN 5 ELSE 2 END"
        hy.sql(
            f"""COPY (SELECT u AS userId, m AS movieId, {rating} AS rating, (u * 31 + m * 17) % 997 AS timestamp
                FROM range(50) a(u), range(60) b(m)) TO '{path}/ratings.csv'"""
        )
    outcome = example.main(["movielens", str(path), "--steps", "40", "--epochs", "10", "--batch-size", "256"])
    assert outcome.last_loss < outcome.first_loss
    assert outcome.area_under_curve > 0.6


def test_the_area_under_the_curve_counts_pairs(example) -> None:
    scores = torch.tensor([0.1, 0.4, 0.4, 0.8, 0.3])
    labels = torch.tensor([0, 0, 1, 1, 1])
    assert example.area_under_curve(scores, labels) == pytest.approx((1 + 0.5 + 1 + 1 + 1 + 0) / 6)
