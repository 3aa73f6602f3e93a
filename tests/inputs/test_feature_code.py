"""Feature code found in a project's folder, and what its digest sees."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs import offered
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.feature_code import FeatureCode, open_feature_code


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "basket.py").write_text("def total(rows):\n    return rows\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_basket.py").write_text("def test_total():\n    pass\n")
    return tmp_path


def raw(**more: object):
    return open_dataset("raw", pd.DataFrame({"price": [1.0, 2.0], "at": pd.to_datetime(["2024-01-01"] * 2), **more}))


def test_modules_are_found_by_dotted_name_by_path_and_below_src(shop):
    (shop / "src" / "net").mkdir(parents=True)
    (shop / "src" / "net" / "__init__.py").write_text("")
    found = open_feature_code(shop, ["shop.basket", "shop/basket.py", "net", "shop"])
    assert found.modules == ("shop/basket.py", "shop/basket.py", "src/net/__init__.py", "shop/__init__.py")
    assert found.source.startswith("shop/basket.py, ")


@pytest.mark.parametrize("name", ["shop.baskte", "../elsewhere.py", "shop/none.py"])
def test_a_module_that_is_not_there_is_an_error(shop, name):
    with pytest.raises(InputError, match="there is no module"):
        open_feature_code(shop, [name])


def test_a_near_module_is_suggested(shop):
    with pytest.raises(InputError, match=r"Did you mean 'shop\.basket'"):
        open_feature_code(shop, ["shop.baskte"])


def test_no_modules_are_a_config_error(shop):
    with pytest.raises(ConfigError, match="modules is empty"):
        open_feature_code(shop, [])


def test_a_test_that_is_not_there_is_an_error_and_node_ids_are_accepted(shop):
    assert open_feature_code(shop, ["shop"], tests=["tests/test_basket.py::test_total"]).tests
    with pytest.raises(InputError, match=r"there is no 'tests/none.py'"):
        open_feature_code(shop, ["shop"], tests=["tests/none.py::test_total"])


def test_a_path_needs_raw_rows_and_the_right_form(shop):
    with pytest.raises(ConfigError, match="no raw"):
        open_feature_code(shop, ["shop"], batch="shop.basket:total")
    with pytest.raises(ConfigError, match=r"features\] online"):
        open_feature_code(shop, ["shop"], online="shop.basket.total", raw=raw())


def test_the_only_column_of_times_may_be_moved_and_several_must_be_named(shop):
    assert open_feature_code(shop, ["shop"], raw=raw()).dates == ("at",)
    two = raw(paid=pd.to_datetime(["2024-01-02"] * 2))
    assert open_feature_code(shop, ["shop"], raw=two).dates == ()
    assert open_feature_code(shop, ["shop"], raw=two, dates=["paid"]).dates == ("paid",)
    with pytest.raises(InputError, match="has no column 'pai'"):
        open_feature_code(shop, ["shop"], raw=two, dates=["pai"])


def test_an_unknown_time_zone_is_a_config_error(shop):
    with pytest.raises(ConfigError, match="no time zone"):
        open_feature_code(shop, ["shop"], timezone="Mars/Olympus")


def test_the_digest_sees_code_tests_rows_and_planted_faults_but_no_caches(shop):
    plain = open_feature_code(shop, ["shop.basket"], tests=["tests"], raw=raw())
    digests = {plain.digest, plain.deafened().digest, plain.wrapped("batch", "x:y").digest}
    digests.add(plain.replace(raw=raw(more=1)).digest)
    assert len(digests) == 4
    before = plain.digest
    (shop / ".venv").mkdir()
    (shop / ".venv" / "other.py").write_text("x = 1")
    assert plain.digest == before
    (shop / "tests" / "test_basket.py").write_text("")
    assert plain.digest != before


def test_it_is_offered_by_configuration_and_says_how_where_it_is_not(shop):
    file = shop / "pyproject.toml"
    file.write_text("[tool.mltestscore]\n")
    with pytest.raises(NotOffered, match=r"\[tool.mltestscore.features\]"):
        offered.features(read_config(file))
    raw().frame().to_parquet(shop / "raw.parquet")
    file.write_text(
        '[tool.mltestscore.features]\nmodules = ["shop.basket"]\ntests = ["tests"]\nraw = "raw.parquet"\n'
        'batch = "shop.basket:total"\n'
    )
    found = offered.features(read_config(file))
    assert isinstance(found, FeatureCode)
    assert (found.batch, found.dates, found.folder) == ("shop.basket:total", ("at",), shop.resolve())


def test_an_unknown_key_of_its_table_names_the_near_one(shop):
    file = shop / "pyproject.toml"
    file.write_text('[tool.mltestscore.features]\nmodules = ["shop"]\ntest = ["tests"]\n')
    with pytest.raises(ConfigError, match="Did you mean 'tests'"):
        read_config(file)
