"""Which rule an input breaks, itself or by what it is made from; and which fields say nothing."""

from datetime import date

import pytest

from mltestscore.errors import ConfigError
from mltestscore.features.policy import Policy, forbidden, gaps, outlived, required
from mltestscore.inputs.catalogue import Entry, read_catalogue

CATALOGUE = read_catalogue(
    {
        "features": {
            "band": {"derived_from": ["salary"], "source": "crm"},
            "distance": {"source": "maps"},
            "colour": {},
        },
        "columns": {"salary": {"tags": ["PII"], "deprecated_after": date(2026, 1, 31)}},
        "sources": {"crm": {"tags": ["licensed"]}, "maps": {"deprecated_after": date(2026, 3, 1)}},
    }
)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (Policy(names=["band"]), "band: the name 'band' is denied"),
        (Policy(names=["SALARY"]), "band ← salary: the name 'salary' is denied"),
        (Policy(patterns=["sal*"]), "band ← salary: the name matches 'sal*'"),
        (Policy(patterns=["B?ND"]), "band: the name matches 'B?ND'"),
        (Policy(tags=["pii"]), "band: tagged 'PII', by salary"),
        (Policy(tags=["licensed"]), "band: tagged 'licensed', by source crm"),
        (Policy(sources=["CRM"]), "band: the source 'crm' is denied"),
    ],
)
def test_each_kind_of_rule_is_held_to_the_input_and_its_ancestors(policy, says):
    assert forbidden("band", CATALOGUE, policy) == [says]
    assert forbidden("colour", CATALOGUE, policy) == []


@pytest.mark.parametrize(
    ("kind", "name", "fields", "says"),
    [
        ("columns", "salary", {"forbidden": "court order"}, "band ← salary: forbidden, court order"),
        ("columns", "salary", {"protected": True}, "band ← salary: a protected attribute"),
        ("features", "band", {"protected": True}, "band: a protected attribute"),
        ("sources", "crm", {"forbidden": "sold"}, "band: the source 'crm' is denied, sold"),
    ],
)
def test_what_the_catalogue_forbids_needs_no_rule(kind, name, fields, says):
    assert forbidden("band", CATALOGUE.declare(kind, name, **fields), Policy()) == [says]


def test_a_pattern_matches_the_whole_name_only():
    assert forbidden("band", CATALOGUE, Policy(patterns=["ban", "and", "[", "(a+)+$"])) == []


def test_an_input_that_nobody_listed_is_held_to_the_names():
    assert forbidden("age", CATALOGUE, Policy(names=["age"], tags=["PII"])) == ["age: the name 'age' is denied"]


@pytest.mark.parametrize(("day", "count"), [(date(2026, 1, 31), 0), (date(2026, 2, 1), 1), (date(2027, 1, 1), 1)])
def test_the_last_day_still_counts(day, count):
    found = outlived("band", CATALOGUE, day)
    assert found == ["band ← salary: deprecated after 2026-01-31"][:count]


def test_the_end_of_a_source_ends_what_it_feeds():
    assert outlived("distance", CATALOGUE, date(2026, 3, 2)) == ["distance, source maps: deprecated after 2026-03-01"]


def test_a_rule_about_nothing_known_is_misspelt_only_if_it_resembles_something():
    assert Policy(tags=["pi"], sources=["crmm"]).misspelt(CATALOGUE) == [
        "tag 'pi', where the catalogue has 'pii'",
        "source 'crmm', where the catalogue has 'crm'",
    ]
    assert Policy(tags=["health", "PII"], sources=["hospital", "Maps"]).misspelt(CATALOGUE) == []


def test_an_empty_policy_says_nothing_unless_the_catalogue_does():
    assert not Policy().says_something(CATALOGUE)
    assert Policy(tags=["x"]).says_something(CATALOGUE)
    assert Policy().says_something(CATALOGUE.declare("columns", "salary", protected=True))
    assert not Policy().says_something(CATALOGUE.declare("columns", "salary", forbidden=" "))


@pytest.mark.parametrize(
    ("owner", "description", "expected"),
    [
        ("Ada", "age of the account in days", []),
        ("", "age of the account in days", ["owner"]),
        ("李", "在线时长", []),
        ("Na", "n. of visits", []),
        ("TODO", "...", ["owner", "description"]),
        ("Ada", "Account-Age", ["description"]),
        ("  ", "?", ["owner", "description"]),
    ],
)
def test_only_fields_that_say_something_count(owner, description, expected):
    assert gaps("account_age", Entry(owner=owner, description=description)) == expected


def test_more_fields_can_be_required():
    fields = required(["source", "deprecated_after", "owner"])
    assert fields == ("owner", "description", "source", "deprecated_after")
    assert gaps("a", Entry(owner="Ada", description="x y", source=("crm",)), fields) == ["deprecated_after"]


def test_an_unknown_field_is_refused_with_near_names():
    with pytest.raises(ConfigError, match="Did you mean 'source'"):
        required(["sourc"])
