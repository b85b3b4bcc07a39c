"""The types that editors see are those of the package: checked by mypy, and its stubs held against the native module."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

import hypostyle

pytest.importorskip("mypy", reason="mypy is not installed")

#: Some libraries that the package works with have no types of their own.
CONFIGURATION = "[mypy]\nignore_missing_imports = True\ndisable_error_code = import-untyped\n"


@pytest.mark.parametrize("command", [["mypy", "--config-file", "{file}", "-p", "hypostyle"],
                                     ["mypy.stubtest", "hypostyle._native", "--mypy-config-file", "{file}"]], ids=["mypy", "stubtest"])
def test_types_are_those_of_the_package(command: list[str], tmp_path: pathlib.Path) -> None:
    file = tmp_path / "mypy.ini"
    file.write_text(CONFIGURATION)
    words = [word.format(file=file) for word in command]
    folder = pathlib.Path(hypostyle.__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
