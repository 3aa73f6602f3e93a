"""The team's commands and requests that promote a version or redeploy a server, with time-outs and last words."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import quote

import httpx

from mltestscore.codetests.sandbox import kill_tree
from mltestscore.errors import InputError
from mltestscore.serving.urls import redact

TABLE = "[tool.mltestscore.rollback]"
MOST = 100_000
SHOWN = 600
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def fill(word: str, values: Mapping[str, str]) -> str:
    """Return a word of a command with ``{version}`` and the like filled in.

    >>> fill("--to={version}", {"version": "v1"})
    '--to=v1'
    """
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def call(words: Sequence[str], values: Mapping[str, str], *, folder: Path, setting: str, timeout: float) -> str:
    """Run a command and return what it printed.

    What a command that ends well has started stays: it may be the server that it put in service. One that exceeds its
    time is stopped with all that it started. Raises :class:`InputError` naming ``setting`` for both kinds of failure.
    """
    filled = [fill(word, values) for word in words]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                filled, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        except OSError as error:
            raise InputError(f"{TABLE} {setting}: {filled[0]!r:.200} cannot be started: {error}.") from None
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            kill_tree(process)
            raise InputError(f"{TABLE} {setting} was stopped after {timeout:.0f} s. It said: {_tail(err)}") from None
        except BaseException:
            kill_tree(process)
            raise
        if code != 0:
            said = _tail(err) or _tail(out)
            raise InputError(f"{TABLE} {setting} failed (status {code}). It said: {said or 'nothing'}")
        out.seek(0)
        return out.read(MOST).decode("utf-8", "replace")


def request(
    line: str,
    values: Mapping[str, str],
    *,
    setting: str,
    timeout: float,
    base: str = "",
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a request such as ``"POST /reload"``; a path is one of the server at ``base``.

    Raises :class:`InputError` for any answer but success.
    """
    method, url = method_and_url(line, setting)
    url = fill(url, {name: quote(value, safe="") for name, value in values.items()})
    url = url if "://" in url else base.rstrip("/") + url
    # The token is the staging server's, and goes nowhere else.
    own = dict(headers or {}) if base and url.startswith(f"{base.rstrip('/')}/") else {}
    try:
        with httpx.Client(timeout=timeout, trust_env=False, headers=own) as client:
            answer = client.request(method, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f"no answer within {timeout:.0f} s" if isinstance(error, httpx.TimeoutException) else str(error)
        raise InputError(f"{TABLE} {setting}: {method} {redact(url)}: {why}.") from None
    if not answer.is_success:
        said = answer.text[:SHOWN]
        raise InputError(f"{TABLE} {setting}: {method} {redact(url)} was answered {answer.status_code}: {said!r}")


def method_and_url(line: str, setting: str) -> tuple[str, str]:
    """Split ``"POST /reload"``; raises :class:`InputError` for what is no such line."""
    method, _, url = line.strip().partition(" ")
    if method not in METHODS or not (url.startswith(("/", "http://", "https://"))) or " " in url:
        raise InputError(f'{TABLE} {setting} is {line!r:.80}; write it as "POST /reload" or "PUT http://host/path".')
    return method, url


def _tail(stream: IO[bytes]) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - SHOWN))
    return stream.read().decode("utf-8", "replace").strip()
