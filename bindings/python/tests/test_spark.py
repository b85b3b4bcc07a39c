"""Transforms in PySpark, in the Python workers of a local Spark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pyarrow
import pytest

import hypostyle as hy
from hypostyle.spark import apply, fit, mapper

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
def spark() -> Iterator[object]:
    pytest.importorskip("pyspark", reason="PySpark is not installed")
    if shutil.which("java") is None:
        pytest.skip("there is no Java, which Spark runs on")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "30").config("spark.driver.host", "127.0.0.1")
    spark = builder.config("spark.sql.shuffle.partitions", "3").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    yield spark
    spark.stop()


def frame(spark, table: pyarrow.Table, partitions: int = 4):
    """The rows in this order, in so many partitions."""
    rows = spark.sparkContext.parallelize([tuple(row.values()) for row in table.to_pylist()], partitions)
    return spark.createDataFrame(rows, "id bigint, price double, city string")


def test_the_mapper_needs_no_spark() -> None:
    transform = hy.Session().fit(DEFINITION, clicks())
    mapped = pyarrow.Table.from_batches(mapper(transform)(clicks().to_batches(max_chunksize=30)))
    assert mapped.to_pylist() == transform.transform(clicks()).to_pylist()
    assert list(mapper(transform)([])) == []


@pytest.mark.filterwarnings("ignore")
def test_a_transform_in_the_tasks_of_spark_gives_what_one_session_gives(spark) -> None:
    transform = hy.Session().fit(DEFINITION, clicks())
    applied = apply(transform, frame(spark, clicks()))
    assert [tuple(row) for row in applied.collect()] == transform.transform(clicks()).fetchall()
    assert applied.columns == transform.outputs.names


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("partitions", [1, 5])
def test_a_fit_in_the_partitions_of_spark_has_the_bits_of_one_fit(spark, partitions: int) -> None:
    fitted = fit(DEFINITION, frame(spark, clicks(), partitions))
    whole = hy.Session().fit(DEFINITION, clicks())
    assert fitted.parameters() == whole.parameters()
    assert fitted.transform(clicks()).fetchall() == whole.transform(clicks()).fetchall()


@pytest.mark.filterwarnings("ignore")
def test_empty_partitions_and_frames_are_fitted(spark) -> None:
    few = clicks(2)
    assert fit(DEFINITION, frame(spark, few, 4)).parameters() == hy.Session().fit(DEFINITION, few).parameters()
    none = frame(spark, clicks(0), 2)
    assert fit(DEFINITION, none).parameters() == hy.Session().fit(DEFINITION, clicks(0)).parameters()


@pytest.mark.filterwarnings("ignore")
def test_every_type_of_output_reaches_spark(spark) -> None:
    definition = """SELECT id, id::UTINYINT AS u8, id::USMALLINT AS u16, id::UINTEGER AS u32, id::UBIGINT AS u64, id::HALF AS h,
        id::FLOAT AS f, [id, 1]::FLOAT[2] AS e, [id, NULL] AS l, {'a': id, 't': city} AS s, MAP {city: id} AS m, city::BLOB AS b,
        id > 1 AS flag, DATE '2020-01-01' + id::INTEGER AS day, TIMESTAMP '2020-01-01 00:00:01' AS ts, id::DECIMAL(9, 2) AS d,
        CASE WHEN id <> 1 THEN city END AS t, ['a', city] AS texts FROM input"""
    transform = hy.Session().fit(definition, clicks(3))
    found = [row.asDict(recursive=True) for row in apply(transform, frame(spark, clicks(3), 2)).collect()]
    expected = transform.transform(clicks(3)).to_pylist()
    for row, wanted in zip(found, expected, strict=True):
        row["b"] = bytes(row["b"])
        assert row == wanted


@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_fails_in_a_task_says_why(spark) -> None:
    with pytest.raises(Exception, match='no column "nothing"'):
        fit("SELECT standard_scale(nothing) AS x FROM input", frame(spark, clicks(10)))
