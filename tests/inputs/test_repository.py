"""Real git repositories in temporary folders."""

import subprocess

import pytest

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.repository import open_repository


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Return a function that runs git in a new repository, without the user's configuration."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = tmp_path / "project"
    root.mkdir()

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


@pytest.fixture
def root(tmp_path, git):
    (tmp_path / "project" / "train.py").write_text("seed = 1\n")
    git("add", "train.py")
    git("commit", "--quiet", "--message", "Train")
    return tmp_path / "project"


def test_a_clean_work_tree_is_its_commit(root, git):
    repository = open_repository(root)
    assert (repository.commit, repository.branch, repository.dirty) == (git("rev-parse", "HEAD"), "main", False)
    assert (repository.root, repository.digest) == (root.resolve(), repository.commit)


def test_a_folder_below_the_top_finds_it(root):
    (root / "notebooks").mkdir()
    assert open_repository(root / "notebooks").root == root.resolve()


def test_a_changed_tracked_file_makes_it_dirty(root):
    (root / "train.py").write_text("seed = 2\n")
    repository = open_repository(root)
    assert (repository.dirty, repository.digest) == (True, "")


def test_an_untracked_notebook_does_not_make_it_dirty(root):
    (root / "try.ipynb").write_text("{}")
    assert not open_repository(root).dirty


def test_a_detached_head_has_no_branch(root, git):
    git("checkout", "--quiet", "--detach")
    assert open_repository(root).branch == ""


def test_a_repository_without_a_commit_has_none(tmp_path, git):
    repository = open_repository(tmp_path / "project")
    assert (repository.commit, repository.branch) == ("", "main")


def test_the_variables_of_a_git_hook_do_not_overrule_the_folder(root, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert open_repository(root).root == root.resolve()


def test_outside_git_it_is_not_offered(tmp_path, git):
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(NotOffered, match="repository is not offered; run in a git checkout"):
        open_repository(tmp_path / "elsewhere")


def test_without_git_it_is_not_offered(root, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotOffered, match="install git"):
        open_repository(root)


def test_a_broken_repository_is_an_error_that_shows_no_credentials(root):
    (root / ".git" / "config").write_text('[core]\n\trepositoryformatversion = 0\n[x "https://me:secret@host"\n')
    with pytest.raises(InputError, match="git cannot read the repository") as caught:
        open_repository(root)
    assert "secret" not in str(caught.value)


def test_credentials_in_an_address_are_cut_from_what_git_says(root):
    (root / ".git" / "config").write_text(
        '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = "https://me:secret@host"\n'
    )
    with pytest.raises(InputError, match="https://…@host") as caught:
        open_repository(root)
    assert "secret" not in str(caught.value)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        open_repository(tmp_path / "none")


def test_paths_and_settings_are_named_from_the_top_folder_and_may_not_leave_it(root):
    (root / "ml").mkdir()
    opened = open_repository(root / "ml", specification="../params.yaml:train", paths=[".", "../shared"])
    assert (opened.specification, opened.paths) == ("params.yaml:train", ("ml", "shared"))
    assert open_repository(root / "ml").paths == ("ml",)
    with pytest.raises(InputError, match=r"'\.\./\.\./elsewhere' lies outside"):
        open_repository(root / "ml", paths=["../../elsewhere"])


def test_commits_are_found_by_their_names_alone(root, git):
    opened, commit = open_repository(root), git("rev-parse", "HEAD")
    assert opened.resolve(commit[:7]) == commit
    assert [opened.resolve(name) for name in ("main", commit[:6], "--all", "0" * 40)] == [""] * 4


def test_a_file_is_read_at_a_commit_byte_for_byte(root, git):
    opened, commit = open_repository(root), git("rev-parse", "HEAD")
    (root / "train.py").write_text("seed = 2\n")
    assert opened.content(commit, "train.py") == b"seed = 1\n"
    assert opened.content(commit, "gone.py") is None


def test_the_protected_branch_is_the_declared_one_else_main(root, git):
    commit = git("rev-parse", "HEAD")
    git("branch", "release")
    assert open_repository(root).protected_branch() == ("main", commit)
    assert open_repository(root, branch="release").protected_branch() == ("release", commit)
    assert open_repository(root, branch="relaese").protected_branch() == ("relaese", "")


def test_a_planted_commit_is_a_real_one_that_leaves_nothing_behind(root, git):
    before = sorted(path for path in root.rglob("*"))
    opened = open_repository(root)
    planted, commit = opened.with_commit(opened.commit, "ml/new.py", b"x = 1\n", "Plant", "Nobody")
    folder = planted._overlay.folder
    assert planted.content(commit, "ml/new.py") == b"x = 1\n"
    assert planted.content(commit, "train.py") == b"seed = 1\n"
    assert planted.protected_branch() == ("main", commit)
    assert (opened.resolve(commit), opened.protected_branch()) == ("", ("main", opened.commit))
    assert sorted(path for path in root.rglob("*")) == before
    del planted
    assert not folder.exists()
