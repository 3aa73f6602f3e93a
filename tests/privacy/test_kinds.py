"""Kinds of personal data: what they accept, what they leave alone, and how often chance passes their checks."""

from __future__ import annotations

import re
import string

import numpy as np
import pytest

from mltestscore.privacy.kinds import KINDS, PREFILTER, masked

BY_NAME = {kind.name: kind for kind in KINDS}
DRAWN = 40_000


def found(text: str) -> dict[str, bool]:
    """Return the kinds of which a text has a candidate, and whether it is valid."""
    return {
        kind.name: any(kind.valid(match.group()) for match in kind.candidate.finditer(text))
        for kind in KINDS
        if kind.candidate.search(text)
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("write to anna.kern@posteo.de, please", "e-mail addresses"),
        ('{"contact":"o\'neil+x@mail.example.co.uk"}', "e-mail addresses"),
        ("mailto:anna.kern@posteo.de", "e-mail addresses"),
        ("ANNA.KERN@POSTEO.DE", "e-mail addresses"),
        ("4111 1111 1111 1111", "card numbers"),
        ("4111-1111-1111-1111", "card numbers"),
        ("card=5555555555554444;", "card numbers"),
        ("378282246310005", "card numbers"),
        ("4111111111111111.0", "card numbers"),
        ("2223003122003222", "card numbers"),
        ("DE89 3704 0044 0532 0130 00", "bank accounts (IBAN)"),
        ("GB82WEST12345698765432", "bank accounts (IBAN)"),
        ("NO9386011117947", "bank accounts (IBAN)"),
        ("call +49 30 901820", "telephone numbers"),
        ("+1 (212) 736-5000", "telephone numbers"),
        ("+4930901820", "telephone or signed numbers"),
        ("+49 301 234 567", "telephone or signed numbers"),
        ("from 84.129.200.17", "internet addresses"),
        ("12345678Z", "identity numbers (ES)"),
        ("RSSMRA85T10A562S", "tax codes (IT)"),
        ("529.982.247-25", "tax numbers (BR)"),
        ("2 55 08 14 168 025 38", "social security numbers (FR)"),
        ('key = "AKIA' + 'J5Q2RTWE7XK3MZ4P"', "access keys"),
        ("token: ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17", "access keys"),
        ("GL=glpat-" + "aB3dE6gH9kL2nP5rT8wZ", "access keys"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq3k9Zr5T8w1XyVnJ4mD2sQhLpG6uEo", "access keys"),
    ],
)
def test_what_identifies_a_person_is_found_and_the_prefilter_lets_it_through(text, name):
    assert found(text).get(name) is True
    assert re.search(PREFILTER, text)


@pytest.mark.parametrize(
    "text",
    [
        "info@airline.com",
        "noreply@bank.de",
        "anna@example.com",
        "anna@mail.example.org",
        "git@github.com:team/repo.git",
        "logo@2x.png",
        "react@18.2.0",
        "https://user:secret@db.host.com/x",
        "@mention and user@host",
        "4111111111111112",
        "0.4111111111111111",
        "1384387200000000",
        "a3f44111111111111111b",
        "550e8400-e29b-4111-1111-111111111111",
        "DE88370400440532013000",
        "XX89370400440532013000",
        "+05:00",
        "+12.5",
        "2013-11-12T10:00:00+05:00",
        "+999 123 456 789",
        "10.15.7.203",
        "192.168.200.201",
        "127.0.0.1",
        "1.2.3.4",
        "10.0.19041.1",
        "91.0.4472.124",
        "12345678A",
        "RSSMRA85T10A562T",
        "111.111.111-11",
        "B6112-JFK-2013-11-12",
        "token = ${GITHUB_TOKEN}",
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA" + "X" * 16,
        "ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18",
        "glpat-" + "x" * 20,
        "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bq3",
        "-----BEGIN PRIVATE KEY-----",
        "",
        "\ud800",
        "²²²²²²²²²²²²²²²²",
    ],
)
def test_what_only_looks_like_it_is_not_valid(text):
    assert not any(found(text).values())


def test_a_hostile_text_takes_no_time():
    for text in ("a" * 4096, "a@" * 2048, "1." * 2048, "+1 " * 1365, "DE89 " * 819, "(" * 4096, "a.a@a." * 680):
        assert not any(found(text).values())


def drawn(rng: np.random.Generator, shape: str) -> str:
    """Draw a text: 9 is a digit, A a capital, X both; an issuer's or country's head stands for itself."""
    signs = {"9": string.digits, "A": string.ascii_uppercase, "X": string.digits + string.ascii_uppercase}
    return "".join(signs[one][rng.integers(len(signs[one]))] if one in signs else one for one in shape)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("card numbers", ["4999" + "9" * 12, "34" + "9" * 13, "51" + "9" * 14]),
        ("telephone or signed numbers", ["+" + "9" * length for length in (9, 10, 11, 12, 13, 14)]),
        ("telephone or signed numbers", ["+99 999 999 999", "+999 999 999", "+9 999 999 999"]),
        ("internet addresses", ["999.999.999.999", "99.99.99.99", "9.99.999.9"]),
        ("identity numbers (ES)", ["99999999A"]),
        ("tax codes (IT)", ["AAAAAA99A99A999A"]),
        ("tax numbers (BR)", ["999.999.999-99"]),
        ("social security numbers (FR)", ["1" + "9" * 14]),
    ],
)
def test_chance_passes_no_more_candidates_than_the_table_says(name, shapes):
    kind, rng = BY_NAME[name], np.random.default_rng(5)
    for shape in shapes:
        candidates = [text for text in (drawn(rng, shape) for _ in range(4000)) if kind.candidate.fullmatch(text)]
        passed = sum(map(kind.valid, candidates))
        error = 4 * (kind.chance * (1 - kind.chance) / max(1, len(candidates))) ** 0.5
        assert candidates
        assert passed / len(candidates) <= kind.chance + error, shape


def test_chance_passes_one_bank_account_in_97():
    kind, rng = BY_NAME["bank accounts (IBAN)"], np.random.default_rng(5)
    passed = sum(kind.valid(drawn(rng, "DE" + "9" * 20)) for _ in range(DRAWN))
    assert passed / DRAWN == pytest.approx(kind.chance, rel=0.2)


def test_a_value_is_shown_by_its_first_character_and_length():
    assert masked("anna.kern@posteo.de") == "a… (19 characters)"
    assert masked("") == "… (0 characters)"
