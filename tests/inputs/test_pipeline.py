"""The pipeline, from configuration to input."""

from __future__ import annotations

import pytest

from mltestscore.errors import ConfigError, NotOffered
from mltestscore.inputs import offered_infra
from mltestscore.inputs.pipeline import RowRule, covers
from tests.integration.shop import MODEL, TABLE, shop, stages, write_shop

TABLES = """
[tool.mltestscore.pipeline]
sample = 50
last_full_run = "runs.json"

[[tool.mltestscore.pipeline.stages]]
name = "features"
command = ["make", "features", "N={rows}"]
reads = ["raw.csv"]
writes = ["out/features.csv"]
rows = [{ from = "raw.csv", keep = 0.9, key = ["id"] }]

[[tool.mltestscore.pipeline.stages]]
name = "serve"
command = ["serve", "{port}"]
reads = ["out/features.csv"]

[tool.mltestscore.pipeline.answers]
ask = "out/features.csv"
health = "/ready"
settings = { column = 1 }
served_name = "tips"
"""


def test_it_is_offered_by_configuration_and_loads_models_as_the_model_input_does(config):
    found = offered_infra.pipeline(config(TABLES + '[tool.mltestscore.model]\npath = "m.skops"\ntrusted = ["x.Y"]\n'))
    assert (found.source, found.sample, found.last_full_run) == ("features → serve", 50, "runs.json")
    assert found.stages[0].rows == (RowRule("out/features.csv", "raw.csv", 0.9, ("id",)),)
    assert found.stages[1].serves
    wire = dict(found.answers.wire)
    assert (wire["model"], wire["health"], wire["settings"]) == ("tips", "/ready", {"column": 1})
    assert dict(found.loading)["trusted"] == ["x.Y"]


def test_without_its_table_it_says_how_to_offer_it(config):
    with pytest.raises(NotOffered, match=r"\[\[tool.mltestscore.pipeline.stages\]\]"):
        offered_infra.pipeline(config(""))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"serve"\ncommand', '"features"\ncommand', "two are called 'features'"),
        ('reads = ["raw.csv"]', 'reads = ["../raw.csv"]', "within the project"),
        ('writes = ["out/features.csv"]', 'writes = ["/tmp/x.csv"]', "within the project"),
        ('last_full_run = "runs.json"', 'last_full_run = "/etc/passwd"', "within the project"),
        ('rows = [{ from = "raw.csv",', 'rows = [{ to = "out/featurs.csv",', "Did you mean 'out/features.csv'"),
        ('reads = ["raw.csv"]', 'reads = ["a.csv", "b.csv"]', "Configured in"),
        ('writes = ["out/features.csv"]', 'writes = ["raw.csv"]', "overwrites 'raw.csv'"),
        ('"make", "features"', '"make", "{port}"', "only the last one may"),
        (
            "[tool.mltestscore.pipeline.answers]",
            '[tool.mltestscore.pipeline.answers]\nmodel = "m.skops"',
            "no stage writes",
        ),
        (
            "[tool.mltestscore.pipeline.answers]",
            '[tool.mltestscore.pipeline.answers]\nfile = "out/features.csv"',
            "not both",
        ),
        ("keep = 0.9", "keep = 1.9", "keep"),
        ("keep = 0.9", "kept = 0.9", "kept"),
    ],
)
def test_what_does_not_fit_together_is_a_config_error(config, before, after, said):
    assert before in TABLES
    text = TABLES.replace(before, after)
    if '"a.csv", "b.csv"' in text:
        text = text.replace('from = "raw.csv", ', "")
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        offered_infra.pipeline(config(text))


def test_a_server_of_which_nothing_is_asked_and_a_single_stage_are_config_errors(config):
    with pytest.raises(ConfigError, match="nothing says what to ask"):
        offered_infra.pipeline(config(TABLES.partition("[tool.mltestscore.pipeline.answers]")[0]))
    with pytest.raises(ConfigError, match="at least two"):
        offered_infra.pipeline(config(TABLES.partition('[[tool.mltestscore.pipeline.stages]]\nname = "serve"')[0]))


def test_the_digest_sees_sources_inputs_and_settings_and_neither_logs_nor_the_clock(tmp_path):
    home = write_shop(tmp_path / "shop")
    before = shop(home).digest
    (home / "served.log").write_text("x")
    assert shop(home).digest == before
    assert shop(home, sample=10).digest != before
    assert shop(home).replace(tampering="partial").digest != before
    (home / "raw.csv").write_text("id,total,heads,tip\n1,10,1,1\n")
    assert shop(home).digest != before


def test_places_cover_files_folders_and_patterns():
    assert covers(TABLE, TABLE)
    assert covers("out", MODEL)
    assert covers("out/*.json", MODEL)
    assert not covers("out/model", MODEL)
    assert len(stages()) == 6
