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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("values", [[(x * 37 % 101) / 3 - 9 for x in range(200)], [3.5] * 5, [-1.0]])
def test_numbers_are_scaled_as_spark_scales_them(spark, values: list[float]) -> None:
    pytest.importorskip("numpy")
    from pyspark.ml import feature
    from pyspark.ml.linalg import Vectors

    column = spark.createDataFrame([(Vectors.dense([value]),) for value in values], ["x"])
    scalers = {
        "standard_scale": feature.StandardScaler(inputCol="x", outputCol="y", withMean=True),
        "min_max_scale": feature.MinMaxScaler(inputCol="x", outputCol="y"),
        "max_abs_scale": feature.MaxAbsScaler(inputCol="x", outputCol="y"),
        "robust_scale": feature.RobustScaler(inputCol="x", outputCol="y", relativeError=0.0),
    }
    for name, scaler in scalers.items():
        expected = [row.y[0] for row in scaler.fit(column).transform(column).collect()]
        transform = hy.Session().fit(f"SELECT {name}(x, compat => 'spark') AS y FROM input", pyarrow.table({"x": values}))
        found = [y for (y,) in transform.transform(pyarrow.table({"x": values})).fetchall()]
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12), name


@pytest.mark.filterwarnings("ignore")
def test_tokens_are_weighted_as_spark_weights_them(spark) -> None:
    pytest.importorskip("numpy")
    from pyspark.ml import feature

    lists = [[f"word {(x * y) % 11}" for y in range(x % 7)] for x in range(60)]
    words = sorted({word for words in lists for word in words})
    frame = spark.createDataFrame([(words,) for words in lists], "words array<string>")
    counted = feature.CountVectorizerModel.from_vocabulary(words, inputCol="words", outputCol="counts").transform(frame)
    weighted = feature.IDF(inputCol="counts", outputCol="weights").fit(counted).transform(counted)
    expected = [{int(index): value for index, value in zip(row.weights.indices, row.weights.values)} for row in weighted.collect()]
    table = pyarrow.table({"words": pyarrow.array(lists, pyarrow.list_(pyarrow.string()))})
    definition = "SELECT tf_idf(words, order => 'value', compat => 'spark') AS weights FROM input"
    found = hy.Session().fit(definition, table).transform(table).fetchall()
    assert [{entry["index"]: entry["value"] for entry in row} for (row,) in found] == [pytest.approx(row, rel=1e-12) for row in expected]


@pytest.mark.filterwarnings("ignore")
def test_tokens_are_counted_as_spark_counts_them(spark) -> None:
    pytest.importorskip("numpy")
    from pyspark.ml import feature

    lists = [[f"word {y}" for y in range(6) for _ in range(6 - y if x == 0 else (x + y) % 4)] for x in range(9)]
    counts = {f"word {y}": sum(words.count(f"word {y}") for words in lists) for y in range(6)}
    # The last word stands in the column most often and the first least, whatever the number of rows with each.
    lists.append([word for rank, word in enumerate(sorted(counts, reverse=True)) for _ in range(60 - counts[word] - 5 * rank)])
    frame = spark.createDataFrame([(words,) for words in lists], "words array<string>")
    table = pyarrow.table({"words": pyarrow.array(lists, pyarrow.list_(pyarrow.string()))})
    for options, spark_options in [
        ("", {}),
        (", top_k => 4", {"vocabSize": 4}),
        (", min_tf => 3", {"minTF": 3.0}),
        (", min_tf => 0.2", {"minTF": 0.2}),
    ]:
        counter = feature.CountVectorizer(inputCol="words", outputCol="y", **spark_options).fit(frame)
        expected = [dict(zip(map(int, row.y.indices), row.y.values)) for row in counter.transform(frame).collect()]
        transform = hy.Session().fit(f"SELECT bag_of_words(words, compat => 'spark'{options}) AS y FROM input", table)
        found = transform.transform(table).fetchall()
        assert [{entry["index"]: entry["value"] for entry in row} for (row,) in found] == expected, options
    with pytest.raises(hy.DataError, match="min_count is above 1"):
        hy.Session().fit("SELECT bag_of_words(words, min_count => 2, compat => 'spark') AS y FROM input", table)


@pytest.mark.filterwarnings("ignore")
def test_embeddings_are_projected_as_spark_projects_them(spark) -> None:
    numpy = pytest.importorskip("numpy")
    from pyspark.ml import feature
    from pyspark.ml.linalg import Vectors

    generator = numpy.random.default_rng(7)
    values = generator.normal(size=(200, 6)) * [9, 5, 3, 2, 1, 0.5] + [4, -3, 2, 0, 1, 8]
    frame = spark.createDataFrame([(Vectors.dense(row),) for row in values], ["x"])
    model = feature.PCA(k=3, inputCol="x", outputCol="y").fit(frame)
    expected = numpy.array([row.y.toArray() for row in model.transform(frame).collect()])
    table = pyarrow.table({"x": pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.ravel()), 6)})
    transform = hy.Session().fit("SELECT pca(x, 3, compat => 'spark') AS y FROM input", table)
    found = numpy.array([row for (row,) in transform.transform(table).fetchall()])
    # Spark leaves the sign of a direction to its solver.
    signs = numpy.sign((found * expected).sum(axis=0))
    numpy.testing.assert_allclose(found * signs, expected, rtol=1e-9, atol=1e-9)
    with pytest.raises(hy.DataError, match="has no whiten"):
        hy.Session().fit("SELECT pca(x, 3, whiten => true, compat => 'spark') AS y FROM input", table)
