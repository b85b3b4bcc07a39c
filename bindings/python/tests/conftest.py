"""What the tests share: a session of their own for each."""

from __future__ import annotations

import pytest

import hypostyle as hy


@pytest.fixture
def session() -> hy.Session:
    return hy.Session(threads=2)


@pytest.fixture(params=[1, 2], ids=["one_thread", "two_threads"])
def any_session(request: pytest.FixtureRequest) -> hy.Session:
    return hy.Session(threads=request.param, batch_rows=3)
