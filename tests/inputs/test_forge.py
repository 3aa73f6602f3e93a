"""GitHub and GitLab: a real server on loopback that answers as their published APIs do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.forge import Forge, open_forge
from tests.provenance.forges import Server

SHA, TOKEN = "a1" * 20, "ghp_secret"
PULL = {"number": 12, "merged_at": "2026-10-01T12:00:00Z", "user": {"login": "ada"}, "base": {"ref": "main"}}
REQUEST = {"iid": 7, "state": "merged", "target_branch": "main", "author": {"username": "ada"}}


def review(login: str, state: str = "APPROVED", kind: str = "User") -> dict[str, Any]:
    return {"user": {"login": login, "type": kind}, "state": state, "commit_id": SHA}


def by(*names: str) -> dict[str, Any]:
    return {"approved": True, "approved_by": [{"user": {"username": name, "state": "active"}} for name in names]}


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
    started = Server()
    yield started
    started.close()


@pytest.fixture
def github(server) -> Forge:
    server.answers |= {
        "/repos/team/model": {"full_name": "team/model"},
        f"/repos/team/model/commits/{SHA}/pulls": [PULL],
        "/repos/team/model/pulls/12/reviews": [review("ben")],
    }
    return open_forge("github", "team/model", url=server.url, timeout=2)


@pytest.fixture
def gitlab(server) -> Forge:
    server.answers |= {
        "/projects/team%2Fmodel": {"id": 5},
        f"/projects/team%2Fmodel/repository/commits/{SHA}/merge_requests": [REQUEST],
        "/projects/team%2Fmodel/merge_requests/7/approvals": by("ben"),
    }
    return open_forge("gitlab", "team/model", url=server.url, timeout=2)


def test_github_names_who_approved_and_gets_the_token(server, github):
    found = github.review(SHA, "main")
    assert (found.reviewer, found.where, found.unknown) == ("ben", "pull request 12", "")
    assert {headers["authorization"] for _, headers in server.asked} == {f"Bearer {TOKEN}"}
    assert {headers["x-github-api-version"] for _, headers in server.asked} == {"2022-11-28"}


def test_gitlab_names_who_approved_and_gets_the_token(server, gitlab):
    assert (gitlab.review(SHA, "main").reviewer, gitlab.review(SHA, "main").where) == ("ben", "merge request 7")
    assert {headers["private-token"] for _, headers in server.asked} == {TOKEN}


@pytest.mark.parametrize(
    "reviews",
    [
        [],
        [review("ada")],
        [review("ben", "COMMENTED")],
        [review("ben"), review("ben", "CHANGES_REQUESTED")],
        [review("ben"), review("ben", "DISMISSED")],
        [review("helper", kind="Bot")],
        [review("dependabot[bot]")],
        [{"user": None, "state": "APPROVED"}],
        ["<script>"],
    ],
)
def test_what_is_no_standing_approval_by_another_person_is_none(server, github, reviews):
    server.answers["/repos/team/model/pulls/12/reviews"] = reviews
    found = github.review(SHA, "main")
    assert (found.reviewer, found.unknown) == ("", "")


def test_an_approval_after_a_request_for_changes_or_a_later_comment_stands(server, github):
    server.answers["/repos/team/model/pulls/12/reviews"] = [
        review("ben", "CHANGES_REQUESTED"),
        review("ben"),
        review("ben", "COMMENTED"),
    ]
    assert github.review(SHA, "main").reviewer == "ben"


@pytest.mark.parametrize("change", [{"merged_at": None}, {"base": {"ref": "try"}}])
def test_a_pull_request_that_did_not_reach_the_branch_does_not_count(server, github, change):
    server.answers[f"/repos/team/model/commits/{SHA}/pulls"] = [PULL | change]
    assert github.review(SHA, "main").reviewer == ""


@pytest.mark.parametrize(
    ("request_", "approvals"),
    [
        (REQUEST, by("ada")),
        (REQUEST, by()),
        (REQUEST, by("project_5_bot_1a2b")),
        (REQUEST | {"state": "opened"}, by("ben")),
        (REQUEST | {"target_branch": "try"}, by("ben")),
        (REQUEST, ["hostile"]),
    ],
)
def test_gitlab_counts_only_approvals_by_others_of_what_was_merged(server, gitlab, request_, approvals):
    server.answers[f"/projects/team%2Fmodel/repository/commits/{SHA}/merge_requests"] = [request_]
    server.answers["/projects/team%2Fmodel/merge_requests/7/approvals"] = approvals
    assert gitlab.review(SHA, "main").reviewer == ""


def test_a_commit_that_the_forge_does_not_know_has_no_review(server, github):
    server.answers[f"/repos/team/model/commits/{'0' * 40}/pulls"] = (422, {"message": "No commit found"}, {})
    assert github.review("0" * 40, "main").unknown == ""
    assert github.review("b" * 40, "main").reviewer == ""


def test_an_unknown_project_is_an_error_with_the_remedy(server, github):
    del server.answers["/repos/team/model"]
    with pytest.raises(InputError, match=r"knows no project 'team/model'.*give a token"):
        github.review("b" * 40, "main")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_an_error_that_does_not_show_it(server, github, status):
    server.answers[f"/repos/team/model/commits/{SHA}/pulls"] = (status, {"message": f"Bad {TOKEN}"}, {})
    with pytest.raises(InputError, match=f"answers {status}: the token is missing") as caught:
        github.review(SHA, "main")
    assert TOKEN not in str(caught.value) + repr(github)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((403, {}, {"x-ratelimit-remaining": "0"}), "too many questions"),
        ((429, {}, {"retry-after": "60"}), "too many questions"),
        ((502, b"<html>", {}), "answers 502"),
        ((302, b"", {"location": "http://127.0.0.1:9/"}), "answers 302"),
        ((200, [], {"sleep": 3}), "no answer within 2 s"),
    ],
)
def test_a_forge_that_does_not_tell_now_is_asked_once_and_decides_nothing(server, github, answer, says):
    server.answers[f"/repos/team/model/commits/{SHA}/pulls"] = answer
    first = github.review(SHA, "main")
    asked = len(server.asked)
    assert (says in first.unknown, github.review("c" * 40, "main")) == (True, first)
    assert len(server.asked) == asked
    assert github.protects("main") is None


def test_nobody_there_decides_nothing(server):
    server.close()
    assert "cannot be reached" in open_forge("github", "team/model", url=server.url).review(SHA, "main").unknown


def test_a_page_that_is_no_api_is_an_error(server, github):
    server.answers[f"/repos/team/model/commits/{SHA}/pulls"] = (200, b"<html>", {})
    with pytest.raises(InputError, match="is url the address of its API"):
        github.review(SHA, "main")


def test_further_pages_are_read_and_answers_are_asked_for_once(server, github):
    path = "/repos/team/model/pulls/12/reviews"
    link = {"link": f'<{server.url}{path}?page=2>; rel="next"'}
    first = [review("ben", "COMMENTED")] * 100

    class Pages(dict):
        def get(self, key, default=None):
            if key != path:
                return super().get(key, default)
            return (200, first, dict(link)) if server.asked[-1][0].endswith("page=1") else (200, [review("eve")], {})

    server.answers = Pages(server.answers)
    assert github.review(SHA, "main").reviewer == "eve"
    asked = len(server.asked)
    assert github.review(SHA, "main").reviewer == "eve"
    assert len(server.asked) == asked == 3


def test_protection_is_by_the_branch_or_by_a_rule(server, github, gitlab):
    server.answers["/repos/team/model/branches/main"] = {"protected": False}
    assert github.protects("main") is False
    server.answers["/repos/team/model/branches/next"] = {"protected": False}
    server.answers["/repos/team/model/rules/branches/next"] = [{"type": "pull_request"}]
    assert github.protects("next") is True
    server.answers["/projects/team%2Fmodel/repository/branches/main"] = {"protected": True}
    assert (gitlab.protects("main"), gitlab.protects("gone")) == (True, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "ftp://host"}, "write the address of the API"),
        ({"url": "https://me:secret@host"}, "without user"),
        ({"project": "../../user"}, "write it as owner/name"),
        ({"project": "a b"}, "write it as owner/name"),
        ({"token_variable": "NOT_SET_ANYWHERE"}, "is not set in the environment"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_asked(changes, says):
    with pytest.raises(ConfigError, match=says) as caught:
        open_forge("github", **{"project": "team/model", **changes})
    assert "secret" not in str(caught.value)


def test_without_a_token_it_asks_without_and_a_broken_one_is_refused(server, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "two\nlines")
    with pytest.raises(ConfigError, match="no token has") as caught:
        open_forge("github", "team/model", url=server.url)
    assert "two" not in str(caught.value)
    server.answers["/repos/team/model"] = {"full_name": "team/model"}
    open_forge("github", "team/model", url=server.url, token_variable="").review(SHA, "main")
    assert "authorization" not in server.asked[0][1]
