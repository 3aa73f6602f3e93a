import json
from pathlib import Path

import jsonschema
import pytest
from mltestscore.reports.json.render import render

from mltestscore.scorecard import Scorecard, json_schema

from .hostile import TEXTS, hostile
from .samples import bare, flights, huge, perfect

PUBLISHED = Path(__file__).parents[2] / "reports" / "json" / "scorecard.schema.json"


def test_the_published_schema_is_the_one_of_the_code() -> None:
    """Renew with ``python -m mltestscore.scorecard > reports/json/scorecard.schema.json``."""
    assert PUBLISHED.read_text("utf-8") == json_schema()


@pytest.mark.parametrize("card", [flights, perfect, bare, lambda: huge(3), lambda: hostile(TEXTS["script"])])
def test_scorecards_validate_against_the_schema_and_read_back_the_same(card: object) -> None:
    scorecard = card()  # type: ignore[operator]
    data = json.loads(render(scorecard))
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)
    assert Scorecard.model_validate(data) == scorecard


def test_an_unknown_field_does_not_validate() -> None:
    data = json.loads(render(bare()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "extra": 1}, json.loads(PUBLISHED.read_text("utf-8")))
