"""Kinds of personal data, and keys that open them: what a candidate looks like, and how often chance makes one valid.

A pattern alone accuses order numbers and version strings. So each kind has a check (a check digit, an issuer, a
structure), and the share of unrelated candidates that pass that check by chance is known: a column holds personal data
only where more of its candidates pass than chance explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from zlib import crc32

# Generic top-level domains that people's addresses end in; with the two-letter ones they leave out `logo@2x.png`.
_DOMAINS = (
    "com net org edu gov mil int info biz name pro mobi email online site store tech app dev cloud shop xyz me blog "
    "club live world today life academy agency company consulting digital group media network solutions studio team "
    "work zone family london berlin paris amsterdam wien koeln hamburg bayern nyc asia cat eus gal"
)
DOMAINS = frozenset(_DOMAINS.split())
# RFC 2142 mailboxes, and the usual senders that are no person.
_ROLES = (
    "abuse admin billing careers contact contacto customercare donotreply enquiries feedback git hello help hostmaster "
    "info jobs legal mailer-daemon marketing news newsletter no-reply noc noreply notifications office orders "
    "postmaster press privacy root sales security service spam subscribe support team usenet webmaster www"
)
ROLES = frozenset(_ROLES.split())
RESERVED = ("example.com", "example.net", "example.org")  # RFC 2606: never anybody's
# Country codes of one, two and three digits that the ITU has assigned (E.164); +1 has its own rule.
CALLING = re.compile(
    r"7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-69]\d|3[578]\d|42[0134]|50\d|59\d|67\d|68\d|69\d|"
    r"85[0-36]|88[06]|96\d|97\d|99[2-8]"
)
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21,
    "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22,
    "GI": 23, "GL": 18, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "KW": 30, "KZ": 20,
    "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "TN": 24, "TR": 26, "UA": 29,
}  # fmt: skip
DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FEWEST_SIGNS = 8  # different characters; random keys have more, placeholders hardly any
CODICE = re.compile(r"[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]")
CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


@dataclass(frozen=True)
class Kind:
    """One kind of personal data.

    Attributes:
        name: for the reader, plural.
        candidate: finds what might be one in a text; a first group, where there is one, is the candidate.
        valid: whether a candidate passes the check.
        chance: the share of unrelated candidates that pass by chance.
        in_numbers: whether a column of whole numbers may hold it.
        alone: whether a single one is too many.
    """

    name: str
    candidate: re.Pattern[str]
    valid: Callable[[str], bool]
    chance: float
    in_numbers: bool = False
    alone: bool = False


def luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others (ISO/IEC 7812-1).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    double = "0246813579"
    total = sum(int(double[int(one)]) if place % 2 else int(one) for place, one in enumerate(reversed(digits)))
    return total % 10 == 0


def mod97(text: str) -> bool:
    """Say whether letters and digits, with letters as 10 to 35, leave 1 when divided by 97 (ISO 7064).

    >>> mod97("3214282912345698765432161182")
    True
    """
    return int("".join(str(int(one, 36)) for one in text)) % 97 == 1


def is_card(text: str) -> bool:
    """Say whether a candidate of an issuer's range and length has the right check digit."""
    return luhn(_digits(text))


def is_iban(text: str) -> bool:
    """Say whether length and check digits are those of the country (ISO 13616).

    >>> is_iban("DE89 3704 0044 0532 0130 00"), is_iban("DE88370400440532013000")
    (True, False)
    """
    plain = text.replace(" ", "")
    return len(plain) == IBAN_LENGTHS.get(plain[:2]) and mod97(plain[4:] + plain[:4])


def is_person_address(text: str) -> bool:
    """Say whether an e-mail address may be a person's: no role, no reserved domain, no file name.

    >>> is_person_address("anna.kern@posteo.de"), is_person_address("info@posteo.de"), is_person_address("logo@2x.png")
    (True, False, False)
    """
    local, _, domain = text.lower().rpartition("@")
    labels = domain.split(".")
    known = labels[-1] in DOMAINS or (len(labels[-1]) == 2 and labels[-1].isalpha())
    tidy = not local.startswith(".") and not local.endswith(".") and ".." not in local
    shaped = all(one and len(one) <= 63 and one[0] != "-" and one[-1] != "-" for one in labels)
    ours = domain.endswith(RESERVED) or local.partition("+")[0] in ROLES
    return known and tidy and shaped and len(local) <= 64 and not ours


def is_phone(text: str) -> bool:
    """Say whether an international number (E.164) has an assigned country code and a usual length.

    >>> is_phone("+49 30 901820"), is_phone("+999 123 456 789"), is_phone("+1 (212) 736-5000")
    (True, False, True)
    """
    digits = _digits(text)
    if digits.startswith("1"):
        return len(digits) == 11 and digits[1] not in "01" and digits[4] not in "01" and digits[2:4] != "11"
    return 9 <= len(digits) <= 15 and CALLING.match(digits) is not None


def is_address(text: str) -> bool:
    """Say whether four numbers are a public internet address; at least two must be too large for a version string.

    >>> is_address("84.129.200.17"), is_address("10.15.7.203"), is_address("2.31.0.1")
    (True, False, False)
    """
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return False
    return address.is_global and not address.is_multicast and sum(int(one) >= 100 for one in text.split(".")) >= 2


def is_dni(text: str) -> bool:
    """Say whether a Spanish identity number has the right letter.

    >>> is_dni("12345678Z"), is_dni("12345678A")
    (True, False)
    """
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and DNI_LETTERS[int(number) % 23] == text[-1]


def is_codice(text: str) -> bool:
    """Say whether an Italian tax code has the right check letter.

    >>> is_codice("RSSMRA85T10A562S"), is_codice("RSSMRA85T10A562T")
    (True, False)
    """
    values = [int(one) if one.isdigit() else ord(one) - ord("A") for one in text[:-1]]
    total = sum(CODICE_ODD[value] if place % 2 == 0 else value for place, value in enumerate(values))
    return chr(ord("A") + total % 26) == text[-1]


def is_cpf(text: str) -> bool:
    """Say whether a Brazilian tax number has both check digits right.

    >>> is_cpf("529.982.247-25"), is_cpf("529.982.247-26")
    (True, False)
    """
    digits = [int(one) for one in _digits(text)]
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        rest = sum(digit * (length + 1 - place) for place, digit in enumerate(digits[:length])) * 10 % 11 % 10
        if rest != digits[length]:
            return False
    return True


def is_nir(text: str) -> bool:
    """Say whether a French social security number has the right key.

    >>> is_nir("2 55 08 14 168 025 38"), is_nir("255081416802539")
    (True, False)
    """
    digits = _digits(text)
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


def is_key(text: str) -> bool:
    """Say whether a text of a known form is a secret: no placeholder, no published example, GitHub's with its checksum.

    >>> is_key("AKIA" + "J5Q2RTWE7XK3MZ4P"), is_key("AKIAIOSFODNN7EXAMPLE"), is_key("AKIAXXXXXXXXXXXXXXXX")
    (True, False, False)
    """
    if text.startswith("gh"):
        checksum = crc32(text[4:-6].encode())
        digits = [BASE_62[checksum // 62**place % 62] for place in range(5, -1, -1)]
        return "".join(digits) == text[-6:]
    return not text.endswith("EXAMPLE") and len(set(text)) >= FEWEST_SIGNS


def _digits(text: str) -> str:
    return "".join(one for one in text if one.isdigit())


def _pattern(body: str) -> re.Pattern[str]:
    """Compile a candidate that stands alone: inside a hash, a UUID or a fraction it is none."""
    return re.compile(rf"(?<![\w.\-+@/])(?:{body})(?![\w\-@/])(?!\.(?!0\b)\d)", re.ASCII)


def _telephone(body: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w+.\-])({body})(?!\w|[.:]\d)", re.ASCII)


# After a colon stands a password in a URL (`https://user:word@host.com`), unless it is an address for mail.
_MAIL = (
    r"(?:(?<=mailto:)|(?<![\w.+%\-@/:]))[A-Za-z0-9][\w.+%\-]{0,63}@"
    r"[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,4}\.[A-Za-z]{2,24}(?![\w@]|\.\w)"
)
_GROUPED = r"[1-9]\d{0,2}(?: \d{3}){2,4}"  # thousands, as in +12 345 678
_PHONE = rf"\+(?!{_GROUPED}(?![\d ]))(?=\d*[ ()\-/])[1-9](?:[ ()\-/]{{0,2}}\d){{6,15}}"
_SIGNED = rf"\+(?:[1-9]\d{{8,14}}|{_GROUPED})(?! ?\d)"
_FOUR_NUMBERS = r"(?<![\w.\-])(\d{1,3}(?:\.\d{1,3}){3})(?![\w\-]|\.\d)"
_FOURS = r"{first}(?P<s>[ \-]?)\d{{4}}(?P=s)\d{{4}}(?P=s)\d{{4}}"
_ISSUERS = r"(?:4\d{3}|5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720|6011|65\d{2}|64[4-9]\d|35[2-8]\d)"
_AMEX = r"3[47]\d{2}(?P<a>[ \-]?)\d{6}(?P=a)\d{5}"

# Forms that their issuers publish so that they can be searched for: AWS, GitHub, GitLab, Google, Slack, Stripe, PEM.
_KEY = (
    r"AKIA[0-9A-Z]{16}|gh[opsu]_[A-Za-z0-9]{36}|glpat-[\w\-]{20}|AIza[\w\-]{35}"
    r"|xox[abprs]-\d{8,14}-[A-Za-z0-9\-]{10,80}|sk_live_[A-Za-z0-9]{24,99}"
)
_PEM = r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\s|\\n)*[A-Za-z0-9+/=\s]{40}"

# The chances of what has a check digit follow from it; that of signed numbers is an upper bound, counted on random
# digits (tests/privacy/test_kinds.py counts them again). Two are allowances of one half: nothing else is written as
# telephone numbers are, with a plus, brackets and odd groups; and of random internet addresses five in six have two
# numbers from 100 on, which of versions (of parts below 100, or 120, or 300) hardly any to one in ten have.
KINDS = (
    Kind("e-mail addresses", re.compile(_MAIL, re.ASCII), is_person_address, 0.0),
    Kind("card numbers", _pattern(_FOURS.format(first=_ISSUERS) + "|" + _AMEX), is_card, 0.1, in_numbers=True),
    Kind("bank accounts (IBAN)", _pattern(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"), is_iban, 1 / 97),
    Kind("telephone numbers", _telephone(_PHONE), is_phone, 0.5),
    Kind("telephone or signed numbers", _telephone(_SIGNED), is_phone, 0.95),
    Kind("internet addresses", re.compile(_FOUR_NUMBERS, re.ASCII), is_address, 0.5),
    Kind("identity numbers (ES)", _pattern(r"[0-9XYZ]\d{7}[A-HJ-NP-TV-Z]"), is_dni, 1 / 23),
    Kind("tax codes (IT)", _pattern(CODICE.pattern), is_codice, 1 / 26),
    Kind("tax numbers (BR)", _pattern(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), is_cpf, 1 / 100),
    Kind("social security numbers (FR)", _pattern(r"[12](?: ?\d{2}){2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}"), is_nir, 1 / 97),
    Kind("access keys", re.compile(rf"(?<![\w\-])(?:{_KEY})(?![\w\-])|{_PEM}", re.ASCII), is_key, 0.0, alone=True),
)  # fmt: skip

# One cheap pattern (RE2) that every text with a candidate matches; all else is never looked at.
PREFILTER = (
    r"[A-Za-z0-9]@[A-Za-z0-9\-]+\.|\d{4}[ \-]?\d{4}[ \-]?\d{4}[ \-]?\d{4}|3[47]\d{2}[ \-]?\d{6}[ \-]?\d{5}"
    r"|[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}|\+[1-9][ ().\-/]{0,2}\d|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
    r"|\d{7}[A-HJ-NP-TV-Z]|[A-Z]{6}\d{2}[A-Z]\d{2}|\d{3}\.\d{3}\.\d{3}-\d{2}"
    r"|[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}"
    r"|AKIA[0-9A-Z]{16}|gh[opsu]_[A-Za-z0-9]{36}|glpat-|AIza|xox[abprs]-|sk_live_|PRIVATE KEY-----"
)


def masked(value: str) -> str:
    """Return a value as it may be shown: its first character and its length.

    >>> masked("anna.kern@posteo.de")
    'a… (19 characters)'
    """
    return f"{value[:1]}… ({len(value)} characters)"
