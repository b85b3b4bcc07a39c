"""What a new user does: builds a wheel, installs it into a fresh virtual environment, runs the README's example there.

    make wheel

Prints the size of the wheel, the time of an import, and that nothing else is needed for it. ``--wheel`` takes one that is built.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
README = PACKAGE.parents[1] / "README.md"
#: Imports that are timed, each in a process of its own.
IMPORTS = 15

IMPORT = """
import sys, time
before = set(sys.modules)
start = time.perf_counter()
import hypostyle
taken = (time.perf_counter() - start) * 1e3
others = {name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - {"hypostyle"}
print(taken, *sorted(others))
"""


def run(*command: str | Path, **options: object) -> str:
    """What a command prints; its failure ends this one."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def built(python: str, into: Path) -> Path:
    """A wheel of this checkout, made as `pip install ./bindings/python` makes it."""
    into.mkdir(parents=True, exist_ok=True)
    for old in into.glob("hypostyle-*.whl"):
        old.unlink()
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", into, PACKAGE)
    (wheel,) = into.glob("hypostyle-*.whl")
    return wheel


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the Python that makes the environment")
    parser.add_argument("--into", type=Path, default=Path("wheels"), help="where the wheel is put")
    parser.add_argument("--wheel", type=Path, help="a wheel that is built already")
    arguments = parser.parse_args()
    wheel = arguments.wheel or built(arguments.python, arguments.into)
    with zipfile.ZipFile(wheel) as file:
        unpacked = sum(entry.file_size for entry in file.infolist())
    print(f"wheel       {wheel.stat().st_size / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB installed: {wheel.name}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run(arguments.python, "-m", "venv", folder / "venv")
        python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, wheel.resolve())
        lines = [run(python, "-c", IMPORT, cwd=folder).split() for _ in range(IMPORTS + 1)]
        others = sorted({name for line in lines for name in line[1:]})
        # The first import reads the files from disk and compiles them.
        later = statistics.median(float(line[0]) for line in lines[1:])
        print(f"import      {later:.1f} ms (median of {IMPORTS}; the first one {float(lines[0][0]):.0f} ms)")
        print(f"it imports  {', '.join(others) or 'nothing beside the standard library'}")
        run(*pip, "polars")
        (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
        (folder / "example.py").write_text(example)
        print("README's example, with polars beside it:\n" + run(python, folder / "example.py", cwd=folder).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
