"""Feature catalogues: what they say of lineage, and what is refused."""

from datetime import date

import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.catalogue import Catalogue, load_catalogue, read_catalogue

TEXT = """
[features.income_band]
owner = "Credit team"
description = "Yearly income in five bands"
source = "crm"
tags = ["financial"]
derived_from = ["salary"]
cost = "crm lookup"
deprecated_after = 2027-06-30

[features."embedding_*"]
source = ["text", "crm"]
cost = { compute_ms = 2, store_calls = 1 }

[columns.salary]
tags = ["personal"]
derived_from = ["payslip"]

[columns.payslip]
source = "payroll"
protected = true

[sources.crm]
tags = ["licensed"]
[sources.text]
[sources.payroll]
deprecated_after = 2026-01-01

[costs."crm lookup"]
compute_ms = 1.5
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "catalogue.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path / "catalogue.toml"


@pytest.fixture
def catalogue(file) -> Catalogue:
    return load_catalogue(file)


def test_every_kind_is_read(catalogue, file):
    assert (catalogue.source, len(catalogue.digest)) == (str(file), 16)
    assert catalogue.features["income_band"].deprecated_after == date(2027, 6, 30)
    assert catalogue.features["income_band"].source == ("crm",)
    assert catalogue.features["embedding_*"].cost.store_calls == 1
    assert catalogue.costs["crm lookup"].compute_ms == 1.5
    assert catalogue.protected == ("payslip",)


def test_the_digest_follows_the_content(catalogue, file):
    assert load_catalogue(file).digest == catalogue.digest
    file.write_text(TEXT + "# more", encoding="utf-8")
    assert load_catalogue(file).digest != catalogue.digest


def test_a_pattern_speaks_for_all_that_match_it_and_a_name_goes_before(catalogue):
    assert catalogue.entry("embedding_7").source == ("text", "crm")
    assert catalogue.entry("embedding") is None
    named = catalogue.declare("features", "embedding_7", owner="Ada")
    assert (named.entry("embedding_7").owner, named.entry("embedding_7").source) == ("Ada", ("text", "crm"))
    assert named.entry("embedding_8").owner == ""


def test_ancestors_are_found_with_the_way_to_them(catalogue):
    assert list(catalogue.ancestors("income_band").values()) == [
        "income_band",
        "income_band ← salary",
        "income_band ← salary ← payslip",
    ]


def test_tags_are_inherited_from_columns_and_sources_unless_dropped(catalogue):
    inherited = {"licensed": "source crm", "personal": "salary", "financial": "income_band"}
    assert catalogue.tags("income_band") == inherited
    dropped = catalogue.declare("features", "income_band", drops=("personal",))
    assert "personal" not in dropped.tags("income_band")
    assert dropped.tags("salary") == {"personal": "salary"}
    assert catalogue.tags("nobody knows it") == {}


def test_a_dropped_tag_still_comes_by_another_way(catalogue):
    both = catalogue.declare("columns", "counted", derived_from=("salary",), drops=("personal",))
    both = both.declare("features", "income_band", derived_from=("counted", "salary"))
    assert both.tags("income_band")["personal"] == "salary"


def test_a_changed_copy_leaves_the_original_and_has_no_digest(catalogue):
    changed = catalogue.declare("sources", "crm", forbidden="sold")
    assert (changed.of_source("crm").forbidden, changed.of_source("crm").tags) == ("sold", ("licensed",))
    assert (catalogue.of_source("crm").forbidden, changed.digest) == ("", "")


def test_a_very_long_chain_is_walked(catalogue):
    chain = {f"c{n}": {"derived_from": [f"c{n + 1}"]} for n in range(3000)} | {"c3000": {"tags": ["far"]}}
    long = read_catalogue({"features": {"a": {"derived_from": ["c0"]}}, "columns": chain})
    assert (len(long.ancestors("a")), long.tags("a")) == (3002, {"far": "c3000"})
    assert max(map(len, long.ancestors("a").values())) < 400


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "describes no feature"),
        ({"featurs": {}}, "featurs is not a known key. Did you mean 'features'?"),
        ({"features": {"a": {"ownr": "x"}}}, r"features\.a\.ownr is not a known key. Did you mean 'owner'?"),
        ({"features": {"a": 3}}, r"features\.a is 3"),
        ({"features": {"a": {"cost": {"compute": 1}}}}, "Did you mean 'compute_ms'?"),
        ({"features": {"a": {"cost": "lok"}}, "costs": {"look": {}}}, "names the cost 'lok'.* Did you mean 'look'?"),
        ({"features": {"a": {}}, "costs": {"c": {"compute_ms": -1}}}, r"costs\.c\.compute_ms is -1"),
        ({"features": {"a": {}}, "costs": {"c": {"compute_ms": float("nan")}}}, r"costs\.c\.compute_ms is nan"),
        ({"features": {"a": {"null_share": 2}}}, r"features\.a\.null_share is 2"),
        ({"features": {"a": {"deprecated_after": "soon"}}}, "deprecated_after is 'soon'"),
        ({"features": {"a": {"source": "crn"}}, "sources": {"crm": {}}}, "the source 'crn'.* Did you mean 'crm'?"),
        ({"features": {"age": {"derived_from": ["aeg"]}}}, "derived from 'aeg'.* Did you mean 'age'?"),
        ({"features": {"a": {"derived_from": ["a"]}}}, "a ← a are derived from each other"),
        ({"features": {"a": {"derived_from": ["b"]}, "b": {"derived_from": ["a"]}}}, "derived from each other"),
        ({"features": {"e_*": {"derived_from": ["e_1"]}}}, "derived from each other"),
        ({"features": {"a": {}}, "columns": {"a": {}}}, r"'a' is under \[features\] and \[columns\]"),
        ({"features": {"a" * 300: {}}}, r"features\.a+ is .*at most 200"),
        ({"features": {"a": {"tags": ["x" * 300]}}}, r"features\.a\.tags\.0 is .*at most 200"),
        ({"features": {"a": {"owner": "x" * 3000}}}, r"features\.a\.owner .*at most 2000"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(data, says):
    with pytest.raises(InputError, match=says):
        read_catalogue(data)


def test_a_source_that_is_only_named_needs_no_description():
    assert read_catalogue({"features": {"a": {"source": "crm"}}}).of_source("crm").owner == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[features", "not valid TOML"), (b"\xff\xfe", "cannot be read"), (b"# " + b"x" * 2**22, "at most 4,194,304")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, says):
    (tmp_path / "catalogue.toml").write_bytes(content)
    with pytest.raises(InputError, match=says):
        load_catalogue(tmp_path / "catalogue.toml")


def test_a_missing_file_suggests_the_near_one(file):
    with pytest.raises(InputError, match=r"Did you mean 'catalogue\.toml'"):
        load_catalogue(file.with_name("catalog.toml"))
