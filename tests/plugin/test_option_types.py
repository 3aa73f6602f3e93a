"""Options of the wrong type are refused before a run, for every option of every check of ours."""

from __future__ import annotations

import pytest

from mltestscore import at_most, check
from mltestscore.catalogue import checks_of, import_file, our_files
from mltestscore.config import Config
from mltestscore.declare import declared_check
from mltestscore.errors import ConfigError
from mltestscore.options import options_for

OPTIONS = [(one, name) for file in our_files() for one in checks_of(import_file(file)) for name in one.options]


@check("data.7", id="plain")
def check_plain(*, most=3, names=("a",)):
    yield at_most("rows", 0, most)


@pytest.mark.parametrize(("one", "name"), OPTIONS, ids=lambda value: getattr(value, "id", value))
def test_a_value_of_the_wrong_type_is_refused_with_its_key(one, name):
    default = one.options[name]
    number = ("30x", ["a"], {"a": "b"}, float("nan"), float("inf"))
    names = ("30x", True, 3.5, [3.5], {"a": "b"})
    for wrong in names if isinstance(default, tuple) else (["30x"], True, 3.5) if isinstance(default, str) else number:
        if wrong is True and isinstance(default, bool):
            continue
        with pytest.raises(ConfigError, match=name):
            options_for(one, Config(checks={one.id: {name: wrong}}))


def test_an_option_without_annotation_takes_the_type_of_its_default():
    plain = declared_check(check_plain)

    assert options_for(plain, Config(checks={"plain": {"most": "4", "names": ["b"]}})) == {"most": 4.0, "names": ("b",)}
    for wrong in ({"most": "ten"}, {"most": True}, {"names": 5}):
        with pytest.raises(ConfigError, match="plain"):
            options_for(plain, Config(checks={"plain": wrong}))
