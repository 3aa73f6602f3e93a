"""Attestations and waivers: what counts, and why the rest does not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mltestscore.errors import ConfigError
from mltestscore.evidence import Statements, read_statements

TODAY = date(2026, 11, 22)

ATTESTATION = {
    "item": '"model.2"',
    "by": '"Ada Example"',
    "date": "2026-10-01",
    "expires": "2027-04-01",
    "link": '"https://wiki.example/experiment-7"',
    "statement": '"one weakened arm"',
}
WAIVER = {
    "item": '"data.5"',
    "kind": '"accepted"',
    "reason": '"the deletion job is being rebuilt"',
    "owner": '"Ada Example"',
    "date": '"2026-10-01"',
    "expires": '"2026-12-31"',
    "link": '"docs/deletion.md"',
}


def table(kind: str, fields: dict[str, str], /, **changes: str | None) -> str:
    """Return one TOML table; a change to ``None`` leaves the key out."""
    lines = [f"{key} = {value}" for key, value in {**fields, **changes}.items() if value is not None]
    return "\n".join([f"[[{kind}]]", *lines, ""])


def read(tmp_path: Path, text: str) -> Statements:
    path = tmp_path / "statements.toml"
    path.write_text(text, encoding="utf-8")
    return read_statements(path, path, TODAY)


def test_valid_statements_count_with_their_days_left(tmp_path: Path):
    """Both kinds are read, dates as TOML dates or as text."""
    statements = read(tmp_path, table("attestation", ATTESTATION) + table("waiver", WAIVER))

    (attestation,), (waiver,) = statements.attestations, statements.waivers
    assert (attestation.item, attestation.by, attestation.days_left) == ("model.2", "Ada Example", 130)
    assert (waiver.item, waiver.kind, waiver.expires, waiver.days_left) == ("data.5", "accepted", "2026-12-31", 39)
    assert statements.rejected == ()


def test_separate_files_are_both_read(tmp_path: Path):
    """Attestations and waivers may lie in two files."""
    first, second = tmp_path / "attestations.toml", tmp_path / "waivers.toml"
    first.write_text(table("attestation", ATTESTATION), encoding="utf-8")
    second.write_text(table("waiver", WAIVER), encoding="utf-8")

    statements = read_statements(first, second, TODAY)

    assert (len(statements.attestations), len(statements.waivers)) == (1, 1)


def test_no_files_mean_no_statements():
    """A team without statements gets none and no error."""
    assert read_statements(None, None, TODAY) == Statements()


def test_a_statement_counts_on_its_first_and_on_its_last_day(tmp_path: Path):
    """A statement made today that expires today is valid today."""
    days = {"date": TODAY.isoformat(), "expires": TODAY.isoformat()}

    statements = read(tmp_path, table("attestation", ATTESTATION, **days))

    assert [entry.days_left for entry in statements.attestations] == [0]


def test_a_statement_counts_for_366_days_at_most(tmp_path: Path):
    """One year counts, a day more does not."""
    entries = [table("attestation", ATTESTATION, expires=expires) for expires in ("2027-10-02", "2027-10-03")]

    statements = read(tmp_path, "".join(entries))

    assert [entry.expires for entry in statements.attestations] == ["2027-10-02"]
    assert "valid for 367 days; at most 366" in statements.rejected[0].reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires": "2026-11-21"}, "it expired on 2026-11-21, 1 day ago; renew it"),
        ({"expires": None}, "it never expires; write expires = YYYY-MM-DD"),
        ({"date": None}, "it is undated; write date = YYYY-MM-DD"),
        ({"date": "2026-11-23"}, "it is dated 2026-11-23, which is after today, 2026-11-22"),
        ({"date": "2026-05-01", "expires": "2026-04-01"}, "it expires on 2026-04-01, before its own date"),
        ({"date": '"yesterday"'}, "its date is 'yesterday'; write a day as YYYY-MM-DD"),
        ({"date": "2026-10-01T12:00:00Z"}, "its date is '2026-10-01 12:00:00+00:00'; write a day"),
        ({"expires": "20270401"}, "its expires is '20270401'; write a day"),
        ({"by": None}, "it has no owner; write by ="),
        ({"by": '"  "'}, "it has no owner"),
        ({"by": "3"}, 'its by is 3; write a text in quotes, by = "…"'),
        ({"link": None}, "it has no link; write link ="),
        ({"link": '""'}, "it has no link"),
        ({"link": '"javascript:alert(1)"'}, "has the scheme 'javascript'; use https://"),
        ({"link": '"http://[half"'}, "is not an address"),
        ({"item": '"modle.2"'}, "no item 'modle.2'. Did you mean 'model.2'"),
        ({"item": None}, "it names no item"),
        ({"item": "[1]"}, "its item is [1]; write a text in quotes"),
        ({"statement": f'"{"x" * 2001}"'}, "its statement has 2001 characters; at most 2000"),
        ({"statement": "true"}, "its statement is True; write a text"),
        ({"expiry": "2027-04-01"}, "unknown key 'expiry'. Did you mean 'expires'"),
    ],
)
def test_an_attestation_is_rejected_with_its_reason(tmp_path: Path, change: dict[str, str | None], reason: str):
    """A faulty attestation counts nothing and says why."""
    statements = read(tmp_path, table("attestation", ATTESTATION, **change))

    (rejected,) = statements.rejected
    assert reason in rejected.reason
    assert rejected.what == "attestation"
    assert rejected.source.endswith("statements.toml, attestation 1")
    assert statements.attestations == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"owner": None}, "it has no owner; write owner ="),
        ({"reason": '" "'}, "it gives no reason"),
        ({"kind": None}, "it has no kind"),
        ({"kind": '"ignored"'}, 'its kind is \'ignored\'; it must be "accepted" or "not-applicable"'),
        ({"link": None}, "it has no link"),
        ({"expires": '"2026-11-01"'}, "it expired on 2026-11-01, 21 days ago"),
        ({"by": '"Ada"'}, "unknown key 'by'"),
    ],
)
def test_a_waiver_is_rejected_with_its_reason(tmp_path: Path, change: dict[str, str | None], reason: str):
    """A faulty waiver excuses nothing and says why."""
    statements = read(tmp_path, table("waiver", WAIVER, **change))

    (rejected,) = statements.rejected
    assert reason in rejected.reason
    assert (rejected.what, statements.waivers) == ("waiver", ())


def test_one_faulty_statement_does_not_spoil_the_others(tmp_path: Path):
    """The good ones count; the faulty one is named by its place in the file."""
    entries = [table("attestation", ATTESTATION, by=by) for by in ('"Ada"', '""', '"Grace"')]

    statements = read(tmp_path, "".join(entries))

    assert [entry.by for entry in statements.attestations] == ["Ada", "Grace"]
    assert [entry.source.rsplit(", ")[-1] for entry in statements.rejected] == ["attestation 2"]


def test_an_entry_that_is_no_table_is_rejected(tmp_path: Path):
    """A list of texts in place of tables is answered, not crashed on."""
    statements = read(tmp_path, 'attestation = ["model.2 is fine"]\n')

    assert "'model.2 is fine' and not a table" in statements.rejected[0].reason


def test_rejected_statements_without_an_item_are_not_lost(tmp_path: Path):
    """What no item can show is kept apart for the scorecard's warnings."""
    statements = read(
        tmp_path, table("attestation", ATTESTATION, item='"modle.2"') + table("attestation", ATTESTATION, by=None)
    )

    assert [entry.item for entry in statements.unplaced] == ["modle.2"]
    assert len(statements.rejected) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[[attestation]]\nitem = \n", r"statements\.toml is not valid TOML: .*line 2.*Correct that line"),
        (b"[[attestation]]\nitem = [\n", r"statements\.toml is not valid TOML: .*line 3, the end of the file"),
        (b"\n\nitem = '\xff'\n", r"statements\.toml, line 3: not UTF-8"),
        (b"[[attestations]]\n", r"unknown table 'attestations'\. Did you mean 'attestation'"),
        (b"[attestation]\nitem = 'data.1'\n", r"write \[\[attestation\]\], with two brackets"),
    ],
)
def test_an_unusable_file_is_one_clear_error(tmp_path: Path, content: bytes, message: str):
    """The file, the line and the remedy are named."""
    path = tmp_path / "statements.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=message):
        read_statements(path, None, TODAY)


def test_a_missing_file_is_one_clear_error(tmp_path: Path):
    """A configured file that does not exist is not silently no statements."""
    with pytest.raises(
        ConfigError, match=r"nowhere\.toml cannot be read: No such file or directory\. Correct the path"
    ):
        read_statements(None, tmp_path / "nowhere.toml", TODAY)


def test_a_folder_in_place_of_a_file_is_one_clear_error(tmp_path: Path):
    """A folder cannot be read as a file."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_statements(tmp_path, None, TODAY)
