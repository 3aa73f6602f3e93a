"""The library variant of flights: its configuration takes the server's place alone, and its versions can be called."""

from __future__ import annotations

import pytest

from mltestscore.config import read_config
from mltestscore.serving.in_process import is_in_process
from tests.examples.variants import HOME


def test_only_what_is_served_differs():
    whole = read_config(HOME / "pyproject.toml").model_dump(exclude={"file", "settings"})
    library = read_config(HOME / "library.toml").model_dump(exclude={"file", "settings"})
    changed = {name for name in whole if whole[name] != library[name]}
    assert changed - {"extends", "system", "output"} == {"endpoint", "canary", "checks"}
    assert {name for name in whole["checks"] if whole["checks"][name] != library["checks"][name]} == {"monitor.6"}


@pytest.mark.parametrize("key", ["url", "previous_url"])
def test_every_version_is_a_class_of_the_example(monkeypatch, key):
    monkeypatch.syspath_prepend(str(HOME))
    from flights import library

    url = getattr(read_config(HOME / "library.toml").endpoint, key)
    assert is_in_process(url)
    assert issubclass(getattr(library, url.rpartition(":")[2]), library.Version)
