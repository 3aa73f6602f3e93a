"""The rubric's texts are complete, and a broken rubric file is refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mltestscore
from mltestscore.config import Config
from mltestscore.errors import ConfigError
from mltestscore.rubric import Item, parse, rubric
from mltestscore.scorecard import ItemResult

TEXT = (Path(mltestscore.__file__).parent / "rubric.toml").read_text(encoding="utf-8")

CHANGED_IN_2017 = {
    *("data.1", "data.2", "data.4", "data.5", "model.3", "model.7"),
    *("infra.1", "infra.4", "infra.5", "monitor.1", "monitor.5", "monitor.7"),
}


def test_28_items_seven_a_section():
    """The rubric holds the paper's 28 slots in the paper's order."""
    sections = ["data", "model", "infra", "monitor"]
    assert list(rubric().ids) == [f"{section}.{n}" for section in sections for n in range(1, 8)]
    assert [section.id for section in rubric().sections] == sections
    assert all(len(rubric().of(section)) == 7 for section in sections)


def test_rubric_is_read_once():
    """Every caller gets the same object."""
    assert rubric() is rubric()


@pytest.mark.parametrize("item", rubric().items, ids=lambda item: item.id)
def test_texts_are_ready_to_print(item: Item):
    """Sentences end, questions ask, and the remedy names a thing to write down."""
    assert item.question.endswith("?")
    assert all(text.endswith(".") for text in (item.why, item.evidence, item.person, item.remedy))
    assert len(item.title) <= 70
    assert not item.title.endswith(".")
    assert "[tool.mltestscore" in item.remedy or f'@pytest.mark.mltestscore("{item.id}")' in item.remedy
    assert item.source.endswith(item.id.title().replace(".", " "))


@pytest.mark.parametrize("item", rubric().items, ids=lambda item: item.id)
def test_remedy_names_no_other_item(item: Item):
    """A marker or check in a remedy carries the item's own id."""
    assert set(re.findall(r'@(?:pytest\.mark\.mltestscore|check)\("([^"]+)"\)', item.remedy)) <= {item.id}


def test_titles_and_questions_are_all_different():
    """No item repeats another's text."""
    assert len({item.title for item in rubric().items}) == 28
    assert len({item.question for item in rubric().items}) == 28


def test_2016_differences_are_told_for_the_changed_items_only():
    """Twelve slots changed in substance between the two papers."""
    assert {item.id for item in rubric().items if item.in_2016} == CHANGED_IN_2017


def test_item_texts_fit_the_scorecard():
    """Every text of an item but the 2016 one has its field in the scorecard."""
    assert set(Item.__dataclass_fields__) - {"in_2016"} <= set(ItemResult.model_fields)


def test_unknown_item_suggests_near_names():
    """A mistyped id is answered with the likely one."""
    with pytest.raises(ConfigError, match=r"no item 'monitr\.3'\. Did you mean 'monitor\.3'"):
        rubric().item("monitr.3")


def test_unknown_section_suggests_near_names():
    """A mistyped section is answered with the likely one."""
    with pytest.raises(ConfigError, match="Did you mean 'infra'"):
        rubric().section("infras")


def test_item_and_section_by_id():
    """Items and sections are found by id."""
    assert rubric().item("monitor.7").section == "monitor"
    assert rubric().section("infra").title == "ML infrastructure"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "data.7"', 'id = "data.6"', r"missing: \['data\.7'\].*twice: \['data\.6'\]"),
        ('id = "data.7"', 'id = "data.8"', r"unknown: \['data\.8'\]"),
        ('id = "data"\n', 'id = "date"\n', "sections must be data, model, infra, monitor"),
        ('effort = "medium"', 'effort = "some"', "effort 'some' is not one of"),
        ("person = ", "persons = ", "unknown key 'persons'. Did you mean 'person'"),
        ('section = "data"', 'section = "model"', "data.1 says that it belongs to the section 'model'"),
        ('title = "Every feature earns its place"', 'title = " "', "item data.2: title must be a text"),
        ('title = "Every feature earns its place"', "title = 3", "item data.2: title must be a text"),
    ],
)
def test_broken_rubric_is_refused(old: str, new: str, message: str):
    """A missing, doubled, unknown or incomplete entry is named."""
    assert old in TEXT

    with pytest.raises(ConfigError, match=message):
        parse(TEXT.replace(old, new, 1))


def test_remedies_name_keys_that_the_configuration_knows():
    """What a reader is told to write can be written."""
    data = {"training", "holdout", "serving", "recomputed", "outcomes"}
    known = {field.alias or name for name, field in Config.model_fields.items()}
    named = {key for item in rubric().items for key in re.findall(r"\[tool\.mltestscore\.([^\]]+)\]", item.remedy)}

    tables = {key.split(".")[0] for key in named}
    assert {"data", "model", "trainer", "endpoint", "schema", "registry"} <= tables <= known
    assert {key.split(".")[1] for key in named if key.startswith("data.")} == data
