"""The release gate, from configuration to input."""

from __future__ import annotations

import pytest

from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs import offered_infra

TABLE = """
[tool.mltestscore.validator]
command = ["make", "judge", "MODEL={candidate}", "BEFORE={baseline}"]
package = "shop:package"
"""
MODEL = '[tool.mltestscore.model]\npath = "m.skops"\ntrusted = ["x.Y"]\n'


def test_it_is_offered_by_configuration_and_loads_packages_as_the_model_input_does(config, tmp_path):
    found = offered_infra.validator(config(TABLE + MODEL))
    assert (found.rows, found.refuses, found.source) == (20_000, (1,), "make judge MODEL={candidate} BEFORE={baseline}")
    assert dict(found.loading)["trusted"] == ["x.Y"]
    assert found.released == (tmp_path / "m.skops").resolve()
    own = offered_infra.validator(config(TABLE + 'loader = "shop:load"\n' + MODEL))
    assert dict(own.loading)["loader"] == "shop:load"


def test_slices_are_those_of_model_6_unless_it_names_its_own(config):
    theirs = '[tool.mltestscore.checks."model.6"]\nslices = ["city", ["city", "plan"]]\n'
    assert offered_infra.validator(config(TABLE + theirs)).slices == ("city", ["city", "plan"])
    assert offered_infra.validator(config(TABLE + 'slices = ["plan"]\n' + theirs)).slices == ("plan",)


def test_judged_rows_have_the_columns_of_the_holdout(config, tmp_path):
    (tmp_path / "rows.csv").write_text("a,y\n1,0\n")
    holdout = '[tool.mltestscore.data.holdout]\nsource = "rows.csv"\nlabel = "y"\n'
    found = offered_infra.validator(config(TABLE + 'judged_on = "rows.csv"\n' + holdout))
    assert found.judged_on is not None
    assert found.judged_on.roles.label == "y"


def test_without_its_table_it_says_how_to_offer_it(config):
    with pytest.raises(NotOffered, match=r"\[tool.mltestscore.validator\]"):
        offered_infra.validator(config(""))


def test_bad_settings_are_errors_that_name_the_table(config):
    with pytest.raises(ConfigError, match=r"write \{candidate\} there.*Configured in \[tool.mltestscore.validator\]"):
        offered_infra.validator(config(TABLE.replace("MODEL={candidate}", "all")))
    with pytest.raises(ConfigError, match="staging = true"):
        offered_infra.validator(config(TABLE + 'deploy = ["ship", "{candidate}"]\n'))
    with pytest.raises(InputError, match=r"workflow: ci.yml cannot be read.*Configured in"):
        offered_infra.validator(config(TABLE + 'workflow = "ci.yml"\ngate_job = "a"\ndeploy_job = "b"\n'))
    with pytest.raises(ConfigError, match="rows"):
        config(TABLE + "rows = 3\n")


def test_the_digest_sees_sources_settings_and_shared_files(config, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.bin").write_bytes(b"1")
    found = offered_infra.validator(config(TABLE + 'shared = ["data"]\n'))
    before = found.digest
    (tmp_path / "run.log").write_text("x")
    assert found.digest == before
    (tmp_path / "data" / "rows.bin").write_bytes(b"12")
    assert found.digest != before
    before = found.digest
    (tmp_path / "shop.py").write_text("x = 1")
    assert found.digest != before != found.replace(rows=300).digest
