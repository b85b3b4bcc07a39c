"""One peer engine in a process of its own: reads JSON requests on standard input, answers on standard output.

    {"views": {"name": "path", ...}}                     names Parquet files
    {"sql": "...", "answer": "path.arrow" or null}       runs a query to an Arrow table; writes it if asked

The answer is {"seconds": ...} or {"error": "..."}; reading and writing of requests is not timed.
"""

import json
import re
import sys
import time

import pyarrow as pa


class DuckDb:
    def __init__(self, threads):
        import duckdb

        self.connection = duckdb.connect(config={"threads": threads})

    def view(self, name, path):
        self.connection.execute(f"CREATE VIEW {name} AS FROM '{path}'")

    def run(self, sql):
        return self.connection.sql(sql).to_arrow_table()


class DataFusion:
    def __init__(self, threads):
        from datafusion import SessionConfig, SessionContext

        self.context = SessionContext(SessionConfig().with_target_partitions(threads))

    def view(self, name, path):
        self.context.register_parquet(name, path)

    def run(self, sql):
        return self.context.sql(sql).to_arrow_table()


class Polars:
    def __init__(self, threads):
        import polars

        assert polars.thread_pool_size() == threads, "set POLARS_MAX_THREADS"
        self.polars = polars
        self.tables = {}
        self.context = polars.SQLContext()

    def view(self, name, path):
        self.tables[name] = self.polars.scan_parquet(path)
        self.context.register(name, self.tables[name])

    def run(self, sql):
        native = re.search(r"/\* polars: (\w+) \*/", sql)
        if native:
            return getattr(self, native[1])(self.tables["events"]).to_arrow()
        return self.context.execute(sql, eager=False).collect(engine="streaming").to_arrow()

    # Windows over time are no SQL of this engine. Of its ways to say them, rolling expressions over the lists of a
    # group-by took the least time: half of `rolling(group_by=...)`, and less than the same expressions with `over`.
    def rolling_7_days(self, events):
        pl = self.polars
        return self.rolled(events.select("event_id", "user_id", "ts", "price"), [
            pl.col("price").rolling_sum_by("ts", "7d", closed="both").alias("spent"),
            pl.col("one").rolling_sum_by("ts", "7d", closed="both").alias("events"),
            pl.col("price").rolling_min_by("ts", "7d", closed="both").alias("cheapest"),
        ], "spent", "cheapest")

    def rolling_1_hour(self, events):
        pl = self.polars
        dwell = pl.col("dwell_ms")
        return self.rolled(events.select("event_id", "user_id", "ts", "dwell_ms"), [
            dwell.cast(pl.Int64).rolling_sum_by("ts", "1h", closed="both").alias("dwell"),
            pl.col("one").rolling_sum_by("ts", "1h", closed="both").alias("events"),
            dwell.rolling_max_by("ts", "1h", closed="both").alias("longest"),
        ], "dwell", "longest")

    def rolled(self, events, values, total, extreme):
        pl = self.polars
        # Its sum of nulls alone is 0.
        total = pl.when(pl.col(extreme).is_not_null()).then(pl.col(total)).alias(total)
        groups = events.with_columns(one=pl.lit(1, dtype=pl.Int64)).sort("ts").group_by("user_id")
        return groups.agg("event_id", *values).drop("user_id").explode(pl.all()).with_columns(total).collect(
            engine="in-memory"
        )


class ClickHouse:
    def __init__(self, threads):
        from chdb import session

        self.session = session.Session()
        self.session.query(f"SET max_threads = {threads}, allow_experimental_correlated_subqueries = 1")

    def view(self, name, path):
        self.session.query(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM file('{path}', Parquet)")

    def run(self, sql):
        return self.session.query(sql, "ArrowTable")


ENGINES = {"duckdb": DuckDb, "datafusion": DataFusion, "polars": Polars, "chdb": ClickHouse}


def main():
    engine = ENGINES[sys.argv[1]](int(sys.argv[2]))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            for name, path in request.get("views", {}).items():
                engine.view(name, path)
            seconds = 0.0
            if "sql" in request:
                started = time.perf_counter()
                table = engine.run(request["sql"])
                seconds = time.perf_counter() - started
                if request.get("answer"):
                    with pa.OSFile(request["answer"], "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                        writer.write_table(table)
            reply = {"seconds": seconds}
        except Exception as error:  # Whatever a peer raises is its answer to this query.
            reply = {"error": str(error).splitlines()[0] if str(error) else repr(error)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
