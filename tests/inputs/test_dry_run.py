"""The rehearsal of adding a feature, from configuration to input."""

from __future__ import annotations

import pytest

from mltestscore.errors import ConfigError, NotOffered
from mltestscore.inputs import offered

TABLE = """
[tool.mltestscore.dry_run]
command = ["make", "FEATURE={feature}"]
max_seconds = 90
training = "out/training.parquet"
served = "out/served.parquet"
key = ["id"]
"""


def test_it_is_offered_by_configuration_and_loads_models_as_the_model_input_does(config):
    found = offered.dry_run(config(TABLE + '[tool.mltestscore.model]\npath = "m.skops"\ntrusted = ["x.Y"]\n'))
    assert (found.max_seconds, found.key, found.source) == (90, ("id",), "make FEATURE={feature}")
    assert dict(found.loading)["trusted"] == ["x.Y"]


def test_without_its_table_it_says_how_to_offer_it(config):
    with pytest.raises(NotOffered, match=r"\[tool.mltestscore.dry_run\]"):
        offered.dry_run(config(""))


def test_a_command_without_the_placeholder_and_a_missing_time_are_config_errors(config):
    with pytest.raises(ConfigError, match=r"write \{feature\} there.*Configured in"):
        offered.dry_run(config(TABLE.replace("FEATURE={feature}", "all")))
    with pytest.raises(ConfigError, match="max_seconds"):
        config(TABLE.replace("max_seconds = 90\n", ""))


def test_the_digest_sees_sources_and_settings_and_neither_logs_nor_caches(config, tmp_path):
    found = offered.dry_run(config(TABLE))
    before = found.digest
    (tmp_path / "served.log").write_text("x")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.py").write_text("x")
    assert found.digest == before
    (tmp_path / "a.sql").write_text("select 1")
    assert found.digest != before
    assert found.replace(tampering="unserved").digest != found.digest
