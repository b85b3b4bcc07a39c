"""Examples of docstrings and of the README run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pathlib
import pkgutil
import re

import pytest

import hypostyle

PACKAGE = pathlib.Path(hypostyle.__file__).parent
README = pathlib.Path(__file__).parents[3] / "README.md"
#: Modules that import what the tests may not have.
OPTIONAL = {"torch": "torch", "ray": "ray", "sklearn": "sklearn", "sklearn_import": "sklearn"}
MODULES = ["hypostyle", *(f"hypostyle.{module.name}" for module in pkgutil.iter_modules([str(PACKAGE)]) if module.name != "_native")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = OPTIONAL.get(name.removeprefix("hypostyle."))
    if needed is not None:
        pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert failed == 0


def test_public_things_have_docstrings() -> None:
    for name in hypostyle.__all__:
        if not name.startswith("__"):
            assert getattr(hypostyle, name).__doc__, name


@pytest.mark.parametrize("page", ["README.md", "docs/src/hosts.md"])
def test_python_examples_of_the_guide_run(page: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", (README.parent / page).read_text(), re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, page, "exec"), {})
