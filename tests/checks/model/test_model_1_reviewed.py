"""``model.1``: real git repositories of teams that review, that do not, and of one person alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mltestscore.inputs.forge import Forge, open_forge
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.inputs.repository import open_repository
from mltestscore.provenance.origin import ASIDE, DIGEST, DIRTY, MISSING, SETTINGS
from mltestscore.provenance.reviews import UNREVIEWED
from mltestscore.result import CheckResult
from mltestscore.testing import run_check
from tests.provenance.forges import Server
from tests.provenance.repositories import ADA, BEN, Team, reviewed_team
from tests.provenance.repositories import SETTINGS as DECLARED

UNPROTECTED = "protected branches that anybody may change"
DAY = datetime(2026, 10, 2, tzinfo=UTC)


def registry(current: str, previous: str = "", **changes: Any) -> Registry:
    given = {"code_commit": current, "tree_clean": True, "parameters": dict(DECLARED), **changes}
    lineage = Lineage("v2", DAY, **given)
    earlier = (Lineage("v1", DAY.replace(day=1), code_commit=previous),) if previous else ()
    return Registry("registry", lineage, (*earlier, lineage), "registry")


@pytest.fixture
def team(tmp_path):
    return reviewed_team(tmp_path / "project")


def run(team: Team, versions: Registry, *, prove: bool = False, **changes: Any) -> CheckResult:
    opened = open_repository(team.root, **{"specification": "model.json", **changes.pop("repository", {})})
    return run_check(
        "model.1", registry=versions, repository=opened, prove=prove, options=changes.pop("options", {}), **changes
    )


def verdicts(result: CheckResult) -> dict[str, str]:
    return {one.name: one.verdict for one in result.findings}


def cause(result: CheckResult, name: str) -> str:
    return next(one.cause or one.note for one in result.findings if one.name == name)


def test_a_sound_lineage_passes_every_fault_is_caught_and_the_repository_is_left_as_it_was(team):
    project, first, second = team
    before = sorted(str(path) for path in project.root.rglob("*"))
    result = run(project, registry(second, first), prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 4
    assert sorted(str(path) for path in project.root.rglob("*")) == before


@pytest.mark.parametrize("missing", ["registry", "repository"])
def test_without_a_required_input_it_is_not_offered(team, missing):
    project, first, second = team
    given = {"registry": registry(second, first), "repository": open_repository(project.root), missing: None}
    assert run_check("model.1", prove=False, **given).state == "not_offered"


def test_a_commit_that_nobody_has_fails(team):
    project, first, _ = team
    result = run(project, registry("12ab" * 10, first))
    assert (result.state, verdicts(result)[MISSING]) == ("failed", "failed")
    assert "is no commit of" in cause(result, MISSING)


@pytest.mark.parametrize("name", ["main", "HEAD", "--all", "../etc", "12ab", "x" * 500, "\x00\n"])
def test_only_the_name_of_a_commit_names_one(team, name):
    project, first, _ = team
    assert verdicts(run(project, registry(name, first)))[MISSING] == "failed"


def test_a_lineage_without_a_commit_decides_nothing_and_says_what_to_write(team):
    result = run(team[0], registry("", tree_clean=None))
    assert result.state == "inconclusive"
    assert "write it there when you train" in cause(result, MISSING)


def test_an_abbreviated_commit_is_found(team):
    project, first, second = team
    assert run(project, registry(second[:8], first[:8])).state == "passed"


def test_a_commit_on_a_branch_that_was_never_merged_fails(team):
    project, first, _ = team
    project.git("checkout", "--quiet", "-b", "try")
    aside = project.commit("Try", f"Reviewed-by: {BEN}", train_py="seed = 2\n")
    result = run(project, registry(aside, first))
    assert (verdicts(result)[ASIDE], verdicts(result)[MISSING]) == ("failed", "passed")


def test_the_remotes_branch_goes_before_a_local_one(team, tmp_path):
    project, first, _ = team
    project.git("clone", "--quiet", str(project.root), str(tmp_path / "clone"))
    clone = Team.__new__(Team)
    clone.root = tmp_path / "clone"
    unpushed = clone.commit("Not pushed", f"Reviewed-by: {BEN}", train_py="seed = 3\n")
    assert verdicts(run(clone, registry(unpushed, first)))[ASIDE] == "failed"


def test_a_history_that_was_cut_off_decides_nothing(team, tmp_path):
    project, first, second = team
    project.git("clone", "--quiet", "--depth=1", f"file://{project.root}", str(tmp_path / "shallow"))
    shallow = Team.__new__(Team)
    shallow.root = tmp_path / "shallow"
    result = run(shallow, registry(first))
    assert (result.state, verdicts(result)[MISSING]) == ("inconclusive", "inconclusive")
    assert "fetch-depth: 0" in cause(result, MISSING)
    assert run(shallow, registry(second), prove=True).proof.state == "proven"


def test_a_branch_that_is_not_here_is_named_and_not_blamed(team):
    project, first, second = team
    result = run(project, registry(second, first), repository={"branch": "release"})
    assert (result.state, "'release'" in cause(result, ASIDE)) == ("inconclusive", True)


@pytest.mark.parametrize("changes", [{"tree_clean": False}, {"suffix": "-dirty"}])
def test_a_dirty_tree_fails(team, changes):
    project, first, second = team
    suffix = changes.pop("suffix", "")
    assert verdicts(run(project, registry(second + suffix, first, **changes)))[DIRTY] == "failed"


def test_an_untracked_notebook_and_a_tree_that_changed_since_do_no_harm(team):
    project, first, second = team
    (project.root / "try.ipynb").write_text("{}")
    (project.root / "train.py").write_text("seed = 9\n")
    assert run(project, registry(second, first)).state == "passed"


def test_a_changed_setting_fails_by_name(team):
    project, first, second = team
    result = run(project, registry(second, first, parameters={**DECLARED, "max_depth": 8}))
    assert (result.state, cause(result, SETTINGS)) == ("failed", "max_depth: stored 8, reviewed 6")


@pytest.mark.parametrize(
    "stored",
    [
        {"learning_rate": 0.10, "max_depth": 6},
        {"max_depth": "6", "learning_rate": "0.1"},
        {"max_depth": 6.0, "learning_rate": 1e-1},
    ],
)
def test_the_same_settings_in_another_order_or_spelling_pass(team, stored):
    project, first, second = team
    assert run(project, registry(second, first, parameters=stored)).state == "passed"


def test_a_setting_that_is_meant_to_be_outside_the_file_can_be_declared(team):
    project, first, second = team
    seeded = registry(second, first, parameters={**DECLARED, "seed": 3})
    assert run(project, seeded).state == "failed"
    assert run(project, seeded, options={"ignore_settings": ("seed",)}).state == "passed"


def test_the_file_is_read_at_the_models_commit_and_not_as_it_is_now(team):
    project, first, second = team
    project.commit("Deeper", f"Reviewed-by: {BEN}", model_json=json.dumps({**DECLARED, "max_depth": 9}))
    assert run(project, registry(second, first)).state == "passed"


def test_a_digest_is_held_to_the_file_and_may_stand_for_the_settings(team):
    project, first, second = team
    content = hashlib.sha256(json.dumps(DECLARED).encode()).hexdigest()
    for digest, state in (
        (content, "passed"),
        (content[:12], "passed"),
        ("0f" * 32, "failed"),
        (content[:6], "failed"),
    ):
        result = run(project, registry(second, first, config_digest=digest, parameters={}))
        assert (result.state, verdicts(result)[DIGEST]) == (state, state)


def test_a_file_that_the_commit_has_not_fails_and_an_undeclared_one_decides_nothing(team):
    project, first, second = team
    assert "no such file" in cause(
        run(project, registry(second, first), repository={"specification": "m.toml"}), SETTINGS
    )
    result = run(project, registry(second, first), repository={"specification": ""}, prove=True)
    assert (result.state, result.proof.state) == ("inconclusive", "proven")


def test_an_unreviewed_change_among_reviewed_ones_fails_by_name(team):
    project, first, _ = team
    third = project.commit("Drop weights", train_py="seed = 1\n")
    result = run(project, registry(third, first))
    assert (result.state, cause(result, UNREVIEWED)) == ("failed", f"{third[:12]} Drop weights")


def test_one_unreviewed_change_of_a_team_that_always_reviewed_fails_too(team):
    project, _, second = team
    third = project.commit("Drop weights", train_py="seed = 1\n")
    assert run(project, registry(third, second)).state == "failed"


def test_a_change_of_documents_only_needs_no_review(team):
    project, first, _ = team
    for path in ("README_md", "docs__guide_html", "src__docs__more_txt", "src__notes_md"):
        last = project.commit(f"Write {path}", **{path: "words"})
    assert run(project, registry(last, first)).state == "passed"


@pytest.mark.parametrize(
    "trailer",
    ["Signed-off-by: Ben Li <ben@example.org>", "Reviewed-by: Ada Ng <ada@example.org>",
     "Reviewed-by: ada ng <ada@home.example>", "Reviewed-by: dependabot[bot] <1+d@users.noreply.github.com>",
     "Reviewed-by:"],
)  # fmt: skip
def test_what_is_no_review_by_another_person_does_not_count(team, trailer):
    project, first, _ = team
    third = project.commit("Drop weights", trailer, train_py="seed = 1\n")
    assert run(project, registry(third, first)).state == "failed"


def test_a_co_author_cannot_review_what_they_wrote(team):
    project, first, _ = team
    both = (f"Co-authored-by: {BEN}", f"Reviewed-by: {BEN}")
    third = project.commit("Drop weights", *both, train_py="seed = 1\n")
    assert run(project, registry(third, first)).state == "failed"


def test_a_message_cannot_hide_a_change(team):
    project, first, _ = team
    hidden = project.commit("Drop\x1e weights\x1f\x1d\x1e", train_py="seed = 1\n")
    assert run(project, registry(hidden, first)).state == "failed"


def test_a_later_review_in_the_notes_counts(team):
    project, first, _ = team
    third = project.commit("Drop weights", train_py="seed = 1\n")
    project.git("notes", "--ref=review", "add", "--message", f"Reviewed-by: {BEN}", third)
    assert run(project, registry(third, first)).state == "passed"


def merged(project: Team, by: str, *, alone: bool = True) -> str:
    project.git("checkout", "--quiet", "-b", "feature")
    project.commit("One", train_py="seed = 4\n")
    if not alone:
        project.commit("Two", who=BEN, predict_py="pass\n")
    project.git("checkout", "--quiet", "main")
    return project.merge("feature", by)


def test_a_merge_by_another_person_counts_as_their_review(team):
    project, first, _ = team
    assert run(project, registry(merged(project, BEN), first)).state == "passed"


def test_a_merge_by_the_author_or_by_one_who_wrote_a_part_does_not(tmp_path):
    for number, (by, alone) in enumerate([(ADA, True), (BEN, False)]):
        project, first, _ = reviewed_team(tmp_path / str(number))
        result = run(project, registry(merged(project, by, alone=alone), first))
        assert verdicts(result)[UNREVIEWED] != "passed", by


def test_merging_main_into_a_branch_is_no_review_of_main(team):
    project, first, _ = team
    third = project.commit("Straight to main", train_py="seed = 5\n")
    project.git("checkout", "--quiet", "-b", "feature", "HEAD~1")
    project.commit("Aside", f"Reviewed-by: {BEN}", predict_py="pass\n")
    project.merge("main", BEN)
    assert run(project, registry(third, first)).state == "failed"


def test_one_person_alone_gets_no_point_no_failure_and_the_remedy(tmp_path):
    project = Team(tmp_path / "alone")
    only = project.commit("All", train_py="seed = 1\n", model_json=json.dumps(DECLARED))
    result = run(project, registry(only))
    assert (result.state, "all by one person" in result.reason, "ask someone outside" in result.reason) == (
        "inconclusive",
        True,
        True,
    )


@pytest.mark.parametrize(("review", "state"), [("trailers", "failed"), ("merges", "failed"), ("forge", "inconclusive")])
def test_with_a_declared_way_nothing_else_counts_and_its_absence_is_shown(tmp_path, review, state):
    project = Team(tmp_path / "alone")
    only = project.commit("All", train_py="seed = 1\n", model_json=json.dumps(DECLARED))
    assert run(project, registry(only), options={"review": review}).state == state


@pytest.fixture
def server():
    started = Server()
    started.answers["/repos/me/model"] = {"full_name": "me/model"}
    yield started
    started.close()


def alone_on_github(tmp_path, server, *reviews: dict[str, Any]) -> tuple[Team, str, Forge]:
    """One person, whose only commit came by a pull request."""
    project = Team(tmp_path / "alone")
    only = project.commit("All", train_py="seed = 1\n", model_json=json.dumps(DECLARED))
    pull = {"number": 1, "merged_at": "2026-10-01T12:00:00Z", "user": {"login": "me"}, "base": {"ref": "main"}}
    server.answers[f"/repos/me/model/commits/{only}/pulls"] = [pull]
    server.answers["/repos/me/model/pulls/1/reviews"] = list(reviews)
    return project, only, open_forge("github", "me/model", url=server.url, token_variable="")


def test_a_forge_that_knows_of_no_approval_shows_that_there_was_none(tmp_path, server):
    project, only, forge = alone_on_github(tmp_path, server)
    assert run(project, registry(only), forge=forge).state == "failed"


def test_an_approval_on_the_forge_passes_and_every_fault_is_caught(tmp_path, server):
    approval = {"user": {"login": "ben", "type": "User"}, "state": "APPROVED"}
    project, only, forge = alone_on_github(tmp_path, server, approval)
    server.answers["/repos/me/model/branches/main"] = {"protected": False}
    result = run(project, registry(only), forge=forge, prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert {one.name: (one.verdict, one.advisory) for one in result.findings}[UNPROTECTED] == ("failed", True)
    (table,) = result.details
    assert table.data["rows"][0][-2:] == ["ben", "pull request 1"]


def test_a_forge_that_is_silent_decides_nothing(tmp_path, server):
    project, only, forge = alone_on_github(tmp_path, server)
    server.answers[f"/repos/me/model/commits/{only}/pulls"] = (503, {}, {})
    result = run(project, registry(only), forge=forge)
    assert (result.state, "answers 503" in cause(result, UNREVIEWED)) == ("inconclusive", True)


def test_a_declared_start_leaves_older_changes_alone_and_an_unknown_one_is_an_error(tmp_path):
    project = Team(tmp_path / "grown")
    old = project.commit("Before reviews", model_json=json.dumps(DECLARED))
    project.git("tag", "reviews-begin")
    new = project.commit("After", f"Reviewed-by: {BEN}", train_py="seed = 1\n")
    assert run(project, registry(new)).state == "failed"
    assert run(project, registry(new), options={"reviewed_since": "reviews-begin"}).state == "passed"
    assert run(project, registry(new), options={"reviewed_since": old[:10]}).state == "passed"
    wrong = run(project, registry(new), options={"reviewed_since": "--all"})
    assert (wrong.state, "reviewed_since is '--all'" in wrong.reason) == ("error", True)


def test_the_same_code_trained_again_is_judged_by_its_last_change(team):
    project, _, second = team
    again = registry(second, second)
    assert run(project, again).state == "passed"


def test_a_version_of_another_line_of_history_is_no_start(team):
    project, first, second = team
    project.git("checkout", "--quiet", "--orphan", "other")
    other = project.commit("Elsewhere", f"Reviewed-by: {BEN}", train_py="seed = 1\n")
    versions = registry(second, first)
    aside = replace(versions.versions[0], version="v0", code_commit=other)
    result = run(project, versions.with_version(aside))
    assert result.state == "passed", result.reason


def test_more_changes_than_are_looked_up_decide_nothing(team):
    project, _, second = team
    result = run(project, registry(second), options={"max_commits": 1})
    assert (result.state, "raise max_commits" in cause(result, UNREVIEWED)) == ("inconclusive", True)


def test_a_part_of_a_repository_can_be_the_project(tmp_path):
    project = Team(tmp_path / "mono")
    first = project.commit("All", f"Reviewed-by: {BEN}", ml__train_py="seed = 1\n", ml__model_json=json.dumps(DECLARED))
    last = project.commit("The shop's page", shop__page_html="<p>")
    opened = open_repository(project.root / "ml", specification="model.json")
    result = run_check("model.1", registry=registry(last, first), repository=opened, prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


def test_the_table_shows_who_reviewed_what(team):
    project, first, second = team
    (table,) = run(project, registry(second, first)).details
    assert table.data["rows"] == [[second[:12], "Weigh rare rows", "Ben Li", "Ada Ng", "trailer"]]
