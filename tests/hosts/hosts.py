"""One artifact, five hosts: fits a transform once, applies it in the program, Python, Ray, C and DataFusion, and compares digests.

    make hosts
    make hosts-overhead

With ``--overhead`` the same artifact is applied to rows that lie in memory, in batches of two sizes, by one thread, and the time of each host is
held against the time of the engine by itself (``tests/hosts/rust``), the two taking turns.

The digest is FNV-1a of 64 bits over the rows in order: for each value a byte that says whether it is there, and then its bytes, a text's
behind their number as 8 bytes. A host that is not installed is skipped with a word.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Numbers with nulls, NaN and negative zero, texts short and long, categories, times.
EVENTS = """
SELECT i AS id,
    CASE WHEN i % 11 = 0 THEN NULL WHEN i % 97 = 1 THEN 'NaN'::DOUBLE WHEN i % 89 = 2 THEN -0.0::DOUBLE
         ELSE (hash_bucket(i, 100000) - 2000) / 7.0::DOUBLE END AS price,
    CASE WHEN i % 13 = 0 THEN NULL ELSE concat('kind ', repeat('x', (i % 17)::INTEGER)) END AS kind,
    concat('city ', hash_bucket(i * 31, 40)::VARCHAR) AS city
FROM range({rows}) t(i)
"""

DEFINITION = """
SELECT id, standard_scale(price) AS scaled, log1p(abs(price)) AS logarithm, quantile_bucketize(price, 16) AS bucket,
    vocab_encode(city, top_k => 30, oov => 4) AS city, sigrid_hash(id, 7, 10000) AS hashed, hash_bucket(kind, 1000) AS kind,
    CASE WHEN price > 5000 THEN 'dear' ELSE upper(kind) END AS label, impute(price, 'median') AS filled
FROM input
"""

#: Bytes of a value by type.
LAYOUTS = {"int64": "<q", "int32": "<i", "double": "<d", "float": "<f"}


def digest_of(table) -> str:
    """Rows and digest of a table of pyarrow."""
    import pyarrow

    digest = 0xCBF29CE484222325
    columns = []
    for column in table.columns:
        name = str(column.type)
        if name in LAYOUTS:
            pack = struct.Struct(LAYOUTS[name]).pack
        elif pyarrow.types.is_string(column.type) or name in ("string_view", "large_string"):
            def pack(text: str) -> bytes:
                data = text.encode()
                return struct.pack("<Q", len(data)) + data
        else:
            raise SystemExit(f"a column of type {name}")
        columns.append([b"\0" if value is None else b"\1" + pack(value) for value in column.to_pylist()])
    for row in zip(*columns):
        for byte in b"".join(row):
            digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{table.num_rows} {digest:016x}"


def run(*command: str | Path, **options) -> str:
    """What a command prints; its failure ends this one."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def by_program(program: Path, artifact: Path, events: Path, directory: Path) -> str:
    """Rust: the program, with the pool of its session."""
    import pyarrow.ipc

    output = directory / "program.arrow"
    run(program, "apply", artifact, "--from", events, "--output", output)
    with pyarrow.ipc.open_file(output) as reader:
        return digest_of(reader.read_all())


def by_python(artifact: Path, events: Path) -> str:
    """Python: the package, over a table of pyarrow."""
    import hypostyle as hy
    import pyarrow.ipc

    with pyarrow.ipc.open_file(events) as reader:
        table = reader.read_all()
    return digest_of(hy.Session(threads=2).load(artifact).transform(table).to_arrow())


def by_ray(artifact: Path, events: Path) -> str:
    """Ray Data: two actors, which read the artifact themselves."""
    import pyarrow
    import pyarrow.ipc
    import ray
    import ray.data
    from hypostyle.ray import ApplyTransform

    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    logging.getLogger("ray").setLevel(logging.WARNING)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        with pyarrow.ipc.open_file(events) as reader:
            table = reader.read_all()
        dataset = ray.data.from_arrow([table.slice(start, 3000) for start in range(0, table.num_rows, 3000)])
        options = {"fn_constructor_args": (str(artifact),), "batch_format": "pyarrow", "batch_size": 1000, "concurrency": 2}
        applied = dataset.map_batches(ApplyTransform, **options)
        blocks = ray.get(applied.to_arrow_refs())
        return digest_of(pyarrow.concat_tables(blocks).sort_by("id"))
    finally:
        ray.shutdown()


def by_c(libraries: Path, artifact: Path, events: Path, directory: Path) -> str:
    """C: batches are pushed into a run."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise ModuleNotFoundError("no C compiler")
    source = ROOT / "tests" / "hosts" / "apply.c"
    program = directory / "apply"
    include = ROOT / "bindings" / "c" / "include"
    run(compiler, "-std=gnu11", "-O1", "-Wall", "-Werror", "-I", include, source, "-L", libraries, "-lhypostyle_c",
        f"-Wl,-rpath,{libraries}", "-o", program)
    return run(program, artifact, events)


def by_datafusion(program: Path, artifact: Path, events: Path) -> str:
    """DataFusion: a plan over two partitions."""
    if not program.exists():
        raise ModuleNotFoundError(f"{program} is not built: make datafusion")
    return run(program, artifact, events, "id")


#: Passes over all rows in a turn, turns, and sizes of batches while overhead is measured: what hosts pay is paid for each batch.
PASSES, TURNS, SIZES = 9, 4, [8_192, 65_536]


def write_in_batches(query: str, events: Path, size: int) -> None:
    """Writes rows to an Arrow file in batches of a size."""
    import hypostyle as hy

    hy.Session(threads=1, batch_rows=size).sql(f"COPY ({query}) TO '{events}'").fetchall()


def batches_in_memory(events: Path, size: int) -> list:
    """The rows of the file as batches of pyarrow, in the engine's layouts."""
    import hypostyle as hy
    import pyarrow

    rows = hy.Session(threads=1, batch_rows=size).sql(f"SELECT * FROM '{events}'")
    return pyarrow.table(rows).to_batches()


def passes_of(apply: Callable[[], int], rows: int) -> list[float]:
    """Milliseconds of each pass."""
    taken = []
    for _ in range(PASSES):
        start = time.perf_counter()
        found = apply()
        taken.append((time.perf_counter() - start) * 1e3)
        if found != rows:
            raise SystemExit(f"{found} rows came out of {rows}")
    return taken


def python_passes(artifact: Path, events: Path, size: int) -> Callable[[], list[float]]:
    """Python: batches of pyarrow are pushed into a run, and what comes out is taken by pyarrow."""
    import hypostyle as hy

    batches = batches_in_memory(events, size)
    prepared = hy.Session(threads=1, batch_rows=size).load(artifact).prepare()

    def apply() -> int:
        run, rows = prepared.start(), 0
        for batch in batches:
            rows += sum(part.to_arrow().num_rows for part in run.push(batch))
        return rows + sum(part.to_arrow().num_rows for part in run.finish())

    return lambda: passes_of(apply, sum(batch.num_rows for batch in batches))


def ray_passes(artifact: Path, events: Path, size: int) -> Callable[[], list[float]]:
    """Ray: the class of the actor pool inside an actor, without what Ray does around the call; texts stay as they are."""
    import ray
    from hypostyle.ray import ApplyTransform

    class Timed(ApplyTransform):
        """Applies all batches again and again."""

        def passes(self, batches: list) -> list[float]:
            return passes_of(lambda: sum(self(batch).num_rows for batch in batches), sum(batch.num_rows for batch in batches))

    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    logging.getLogger("ray").setLevel(logging.WARNING)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    actor = ray.remote(num_cpus=1)(Timed).remote(str(artifact), text="string_view")
    rows = ray.put(batches_in_memory(events, size))
    return lambda: ray.get(actor.passes.remote(rows))


def printed(*command: str | Path) -> list[float]:
    """The milliseconds that a program prints."""
    return [float(line) for line in run(*command).splitlines()]


def print_overhead(libraries: Path, datafusion: Path, artifact: Path, events: Path, directory: Path, size: int) -> None:
    """A line for each host: the engine's time, the host's time, and what the host adds."""
    engine = libraries / "apply_in_rust"
    apply_in_c = directory / "apply"
    hosts: dict[str, Callable[[], Callable[[], list[float]]]] = {
        "python": lambda: python_passes(artifact, events, size),
        "c": lambda: by_c(libraries, artifact, events, directory) and (lambda: printed(apply_in_c, artifact, events, str(PASSES), str(size))),
        "ray": lambda: ray_passes(artifact, events, size),
    }
    print(f"batches of {size} rows")
    print(f"{'host':12}{'engine ms':>12}{'host ms':>12}{'overhead':>12}   least of {TURNS} turns of {PASSES} passes each")
    for name, prepare in hosts.items():
        try:
            passes = prepare()
        except ModuleNotFoundError as missing:
            print(f"{name:12}skipped: {missing}", flush=True)
            continue
        alone, inside = [], []
        for _ in range(TURNS):
            alone += printed(engine, artifact, events, str(PASSES), str(size))
            inside += passes()
        # What disturbs a pass makes it longer, so the least of many is the work itself.
        print_ratio(name, min(alone), min(inside), min(inside) / min(alone))
    if not datafusion.exists():
        print(f"{'datafusion':12}skipped: {datafusion} is not built", flush=True)
        return
    # Both are inside one program there, since DataFusion's packages are compiled in a workspace of their own.
    line = run(datafusion, artifact, events)
    own, host, ratio = map(float, re.findall(r"[0-9.]+", line.split(":", 1)[1]))
    print_ratio("datafusion", own, host, ratio)


def print_ratio(name: str, own: float, host: float, ratio: float) -> None:
    print(f"{name:12}{own:12.1f}{host:12.1f}{(ratio - 1) * 100:+11.1f}%", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, default=ROOT / "target" / "debug", help="where the program and the C library are")
    parser.add_argument("--datafusion", type=Path, default=ROOT / "bindings/datafusion/target/debug/examples/apply_transform")
    parser.add_argument("--overhead", type=Path, help="measure instead; the program of examples/overhead.rs")
    parser.add_argument("--rows", type=int)
    arguments = parser.parse_args()
    rows = arguments.rows or (400_000 if arguments.overhead else 30_000)
    libraries = arguments.libraries.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        events, artifact = directory / "events.arrow", directory / "features.hyp"
        definition = ("fit", DEFINITION, "--from", events, "--output", artifact)
        if arguments.overhead:
            for size in SIZES:
                # A file has the batches of the run that writes it.
                write_in_batches(EVENTS.format(rows=rows), events, size)
                run(libraries / "hypostyle", *definition)
                print_overhead(libraries, arguments.overhead.resolve(), artifact, events, directory, size)
            return 0
        run(libraries / "hypostyle", "query", EVENTS.format(rows=rows), "--output", events)
        run(libraries / "hypostyle", *definition)
        return compare_digests(libraries, arguments.datafusion.resolve(), artifact, events, directory)


def compare_digests(libraries: Path, datafusion: Path, artifact: Path, events: Path, directory: Path) -> int:
    hosts = {
        "rust": lambda: by_program(libraries / "hypostyle", artifact, events, directory),
        "python": lambda: by_python(artifact, events),
        "ray": lambda: by_ray(artifact, events),
        "c": lambda: by_c(libraries, artifact, events, directory),
        "datafusion": lambda: by_datafusion(datafusion, artifact, events),
    }
    digests = {}
    for name, apply in hosts.items():
        try:
            digests[name] = apply()
            print(f"{name:12}{digests[name]}", flush=True)
        except ModuleNotFoundError as missing:
            print(f"{name:12}skipped: {missing}", flush=True)
    if len(set(digests.values())) != 1 or "rust" not in digests:
        print("the digests differ", file=sys.stderr)
        return 1
    print(f"{len(digests)} hosts, one digest")
    return 0


if __name__ == "__main__":
    sys.exit(main())
