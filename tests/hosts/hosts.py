"""One artifact, five hosts: fits a transform once, applies it in the program, Python, Ray, C and DataFusion, and compares digests.

    make hosts

The digest is FNV-1a of 64 bits over the rows in order: for each value a byte that says whether it is there, and then its bytes, a text's
behind their number as 8 bytes. A host that is not installed is skipped with a word.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import struct
import subprocess
import sys
import tempfile
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, default=ROOT / "target" / "debug", help="where the program and the C library are")
    parser.add_argument("--datafusion", type=Path, default=ROOT / "bindings/datafusion/target/debug/examples/apply_transform")
    parser.add_argument("--rows", type=int, default=30_000)
    arguments = parser.parse_args()
    program = (arguments.libraries / "hypostyle").resolve()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        events, artifact = directory / "events.arrow", directory / "features.hyp"
        run(program, "query", EVENTS.format(rows=arguments.rows), "--output", events)
        run(program, "fit", DEFINITION, "--from", events, "--output", artifact)
        hosts = {
            "rust": lambda: by_program(program, artifact, events, directory),
            "python": lambda: by_python(artifact, events),
            "ray": lambda: by_ray(artifact, events),
            "c": lambda: by_c(arguments.libraries.resolve(), artifact, events, directory),
            "datafusion": lambda: by_datafusion(arguments.datafusion.resolve(), artifact, events),
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
