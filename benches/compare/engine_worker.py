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

    # Windows over time are no SQL of this engine, but expressions over frames that are sorted by time.
    def rolling_7_days(self, events):
        pl = self.polars
        price = pl.col("price")
        return self.rolled(events.select("event_id", "user_id", "ts", "price"), "7d", [
            price.sum().alias("spent"), pl.len().alias("events"), price.min().alias("cheapest"),
        ])

    def rolling_1_hour(self, events):
        pl = self.polars
        dwell = pl.col("dwell_ms")
        return self.rolled(events.select("event_id", "user_id", "ts", "dwell_ms"), "1h", [
            dwell.cast(pl.Int64).sum().alias("dwell"), pl.len().alias("events"), dwell.max().alias("longest"),
        ])

    def rolled(self, events, period, values):
        pl = self.polars
        rolled = events.sort("ts").rolling("ts", period=period, closed="both", group_by="user_id")
        # Peers are in the frame of each other only up to the row itself here; the times of the log are distinct.
        return rolled.agg(pl.col("event_id").last(), *values).drop("user_id", "ts").collect()


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
