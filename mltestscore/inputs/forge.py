"""What a forge (GitHub, GitLab) says of the review of a commit, over its API.

``[tool.mltestscore.forge]``::

    kind = "github"                        # or "gitlab"
    project = "owner/name"
    url = "https://api.github.com"         # default; GitLab: "https://gitlab.com/api/v4"; your own server's API
    token_variable = "GITHUB_TOKEN"        # the environment variable that holds a token that may read; "" for none
    timeout = 10                           # seconds an answer may take

Asked of GitHub: ``/repos/{project}/commits/{sha}/pulls``, ``/pulls/{number}/reviews``, ``/branches/{branch}`` and
``/rules/branches/{branch}``; of GitLab ``/projects/{project}/repository/commits/{sha}/merge_requests``,
``/merge_requests/{iid}/approvals`` and ``/repository/branches/{branch}``.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from mltestscore.errors import ConfigError, InputError

URLS = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}
TOKENS = {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN"}
MAX_ANSWER = 8 * 2**20
MAX_PAGES = 10
_WHERE = "[tool.mltestscore.forge]"
_BOT = re.compile(r"\[bot\]$|^(project|group)_\d+_bot", re.IGNORECASE)
_DECIDES = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


@dataclass(frozen=True)
class Approval:
    """What a forge says of one commit.

    Attributes:
        reviewer: who approved the request that brought it, not its author and no program; empty where nobody did.
        where: the request, such as ``"pull request 12"``.
        unknown: why the forge did not tell; empty where it did.
    """

    reviewer: str = ""
    where: str = ""
    unknown: str = ""


class _Silent(Exception):  # noqa: N818 - never leaves this module
    """The forge did not tell, for a reason that may pass."""


@dataclass(frozen=True)
class Forge:
    """A project on a forge; every answer is asked for once.

    Attributes:
        project: ``owner/name``, or a GitLab project's path or number.
        url: of the API, without credentials.
        token: empty: ask without one. Never shown.
        timeout: seconds that one answer may take in all.
    """

    project: str
    url: str
    token: str = field(default="", repr=False)
    timeout: float = 10.0
    kind: ClassVar[str] = ""
    digest: ClassVar[str] = ""  # what a forge says may change at any time, so that no proof is remembered
    _answers: dict[str, tuple[int, Any, str]] = field(default_factory=dict, repr=False)
    _silent: list[str] = field(default_factory=list, repr=False)

    @property
    def source(self) -> str:
        """The project and its server, for the reader."""
        return f"{self.project} on {urlsplit(self.url).hostname}"

    def review(self, commit: str, branch: str) -> Approval:
        """Return who approved the request that brought a commit to a branch.

        Raises :class:`InputError` where the forge refuses the token or does not know the project.
        """
        if not self._silent:  # one that does not answer now is not waited for again
            try:
                return next(self._approvals(commit, branch), Approval())
            except _Silent as silent:
                self._silent.append(str(silent))
        return Approval(unknown=self._silent[0])

    def protects(self, branch: str) -> bool | None:
        """Say whether a branch is protected; ``None`` where the forge does not tell."""
        try:
            return None if self._silent else self._protects(branch)
        except _Silent:
            return None

    def _approvals(self, commit: str, branch: str) -> Iterator[Approval]:
        raise NotImplementedError

    def _protects(self, branch: str) -> bool | None:
        raise NotImplementedError

    @property
    def _headers(self) -> dict[str, str]:
        raise NotImplementedError

    def _get(self, path: str) -> Any:
        """Return the parsed answer; ``None`` for what the forge does not have (404, and 422 for an unknown commit)."""
        return self._page(path)[0]

    def _all(self, path: str) -> list[Mapping[str, Any]]:
        """Return the entries of a list, of all its pages; what is no list of objects has none."""
        found: list[Mapping[str, Any]] = []
        joint = "&" if "?" in path else "?"
        for page in range(1, MAX_PAGES + 1):
            answer, more = self._page(f"{path}{joint}per_page=100&page={page}")
            entries = answer if isinstance(answer, list) else []
            found += [entry for entry in entries if isinstance(entry, dict)]
            if not more:
                return found
        raise _Silent(f"{path:.200} has more than {MAX_PAGES} pages")

    def _page(self, path: str) -> tuple[Any, bool]:
        if path not in self._answers:
            self._answers[path] = self._ask(path)
        status, answer, link = self._answers[path]
        if status in (404, 422):
            self._known()
            return None, False
        return answer, 'rel="next"' in link

    def _known(self) -> None:
        """Raise :class:`InputError` where the forge does not know the project at all (or hides it)."""
        path = self._project_path
        if path not in self._answers:
            self._answers[path] = self._ask(path)
        if self._answers[path][0] == 404:
            raise InputError(
                f"{_WHERE}: {self.url} knows no project {self.project!r:.100}, or hides it from this token. "
                "Correct project, or give a token that may read it."
            )

    @property
    def _project_path(self) -> str:
        raise NotImplementedError

    def _ask(self, path: str) -> tuple[int, Any, str]:
        import httpx

        where = f"{self.url}{path.partition('?')[0]}"
        deadline, content = time.monotonic() + self.timeout, bytearray()
        try:
            with (
                httpx.Client(timeout=self.timeout, headers=self._headers) as client,
                client.stream("GET", self.url + path) as answer,
            ):
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER or time.monotonic() > deadline:
                        raise _Silent(f"{where} does not end its answer in time or size")
        except httpx.TimeoutException:
            raise _Silent(f"{where} gave no answer within {self.timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Silent(f"{where} cannot be reached ({type(error).__name__})") from None
        return self._judged(answer.status_code, answer.headers, bytes(content), where)

    def _judged(self, status: int, headers: Mapping[str, str], content: bytes, where: str) -> tuple[int, Any, str]:
        limited = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
        if status == 429 or (status == 403 and limited):
            raise _Silent(f"{where}: too many questions; set a token, or ask again later")
        if status in (401, 403):
            raise InputError(f"{_WHERE}: {where} answers {status}: the token is missing, wrong or may not read that.")
        if status >= 500 or (status >= 300 and status not in (404, 422)):
            raise _Silent(f"{where} answers {status}")
        try:
            return status, json.loads(content) if status < 300 else None, headers.get("link", "")
        except (ValueError, RecursionError):
            raise InputError(f"{_WHERE}: {where} answers no JSON; is url the address of its API?") from None


class GitHub(Forge):
    """GitHub's REST API, version 2022-11-28."""

    kind: ClassVar[str] = "github"

    @property
    def _headers(self) -> dict[str, str]:
        named = {
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
            "user-agent": "mltestscore",
        }
        return named | ({"authorization": f"Bearer {self.token}"} if self.token else {})

    @property
    def _project_path(self) -> str:
        return f"/repos/{quote(self.project, safe='/')}"

    def _approvals(self, commit: str, branch: str) -> Iterator[Approval]:
        for request in self._all(f"{self._project_path}/commits/{quote(commit, safe='')}/pulls"):
            if not request.get("merged_at") or _text(request, "base", "ref") != branch:
                continue
            author, number, latest = _text(request, "user", "login"), request.get("number"), dict[str, str]()
            for review in self._all(f"{self._project_path}/pulls/{number}/reviews"):  # oldest first
                name, state = _text(review, "user", "login"), review.get("state")
                machine = _text(review, "user", "type") == "Bot" or _BOT.search(name)
                if state in _DECIDES and name and name != author and not machine:
                    latest[name] = str(state)
            for name, state in latest.items():
                if state == "APPROVED":
                    yield Approval(name[:80], f"pull request {number}")

    def _protects(self, branch: str) -> bool | None:
        name = quote(branch, safe="")
        found = self._get(f"{self._project_path}/branches/{name}")
        if not isinstance(found, dict):
            return None
        if found.get("protected") is True:
            return True
        return any(
            rule.get("type") == "pull_request" for rule in self._all(f"{self._project_path}/rules/branches/{name}")
        )


class GitLab(Forge):
    """GitLab's REST API, version 4."""

    kind: ClassVar[str] = "gitlab"

    @property
    def _headers(self) -> dict[str, str]:
        return {"accept": "application/json"} | ({"private-token": self.token} if self.token else {})

    @property
    def _project_path(self) -> str:
        return f"/projects/{quote(self.project, safe='')}"

    def _approvals(self, commit: str, branch: str) -> Iterator[Approval]:
        for request in self._all(f"{self._project_path}/repository/commits/{quote(commit, safe='')}/merge_requests"):
            if request.get("state") != "merged" or request.get("target_branch") != branch:
                continue
            author, number = _text(request, "author", "username"), request.get("iid")
            said = self._get(f"{self._project_path}/merge_requests/{number}/approvals")
            by = said.get("approved_by") if isinstance(said, dict) else None
            for entry in by if isinstance(by, list) else []:
                name = _text(entry, "user", "username")
                if name and name != author and not _BOT.search(name):
                    yield Approval(name[:80], f"merge request {number}")

    def _protects(self, branch: str) -> bool | None:
        found = self._get(f"{self._project_path}/repository/branches/{quote(branch, safe='')}")
        return bool(found.get("protected")) if isinstance(found, dict) else None


def _text(entry: object, outer: str, inner: str) -> str:
    """Return a text inside an object inside an object; empty where there is none."""
    held = entry.get(outer) if isinstance(entry, dict) else None
    found = held.get(inner) if isinstance(held, dict) else None
    return found if isinstance(found, str) else ""


def open_forge(
    kind: str, project: str, *, url: str = "", token_variable: str | None = None, timeout: float = 10.0
) -> Forge:
    """Return a project on a forge; nothing is asked yet.

    Args:
        kind: ``"github"`` or ``"gitlab"``.
        project: its path, ``owner/name``.
        url: of the API; default: the public server's.
        token_variable: the environment variable with a token; ``None``: the usual one, if it is set.
        timeout: seconds that one answer may take.

    Raises :class:`ConfigError` for a URL that is none or holds credentials, or a declared variable that is not set.
    """
    url = (url or URLS[kind]).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ConfigError(f"{_WHERE} url: write the address of the API as {URLS[kind]!r}, without user, key or query.")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", project) or ".." in project:
        raise ConfigError(f"{_WHERE} project is {project!r:.100}; write it as owner/name.")
    token = (
        os.environ.get(TOKENS[kind] if token_variable is None else token_variable, "") if token_variable != "" else ""
    )
    if token_variable and not token:
        raise ConfigError(
            f"{_WHERE} token_variable: {token_variable!r:.80} is not set in the environment; set the token."
        )
    if not token.isascii() or any(sign.isspace() for sign in token):
        raise ConfigError(f"{_WHERE}: the token holds signs that no token has, such as a line's end; set it anew.")
    return {"github": GitHub, "gitlab": GitLab}[kind](project, url, token, timeout)
