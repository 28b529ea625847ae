"""One browser for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import chromium


@pytest.fixture(scope="session", autouse=True)
def one_browser() -> Iterator[None]:
    """Started before the first test, so that none counts its pipe as left behind."""
    chromium.shared()
    yield
    chromium.stop_shared()
