"""One peer engine in a process of its own: reads JSON requests on standard input, answers on standard output.

    {"views": {"name": "path", ...}}                     names Parquet files
    {"sql": "...", "answer": "path.arrow" or null}       runs a query to an Arrow table; writes it if asked

The answer is {"seconds": ...} or {"error": "..."}; reading and writing of requests is not timed.
"""

import json
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
        self.context = polars.SQLContext()

    def view(self, name, path):
        self.context.register(name, self.polars.scan_parquet(path))

    def run(self, sql):
        return self.context.execute(sql, eager=False).collect(engine="streaming").to_arrow()


ENGINES = {"duckdb": DuckDb, "datafusion": DataFusion, "polars": Polars}


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
