"""Real git repositories with a small team's history, for tests of where a model comes from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ADA, BEN = "Ada Ng <ada@example.org>", "Ben Li <ben@example.org>"
SETTINGS = {"max_depth": 6, "learning_rate": 0.1}


class Team:
    """A repository at ``root`` and the commands of the people who work on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, who: str = ADA) -> str:
        """Run git as somebody, on a fixed day, without anybody's own settings; return what it prints."""
        name, _, address = who.rstrip(">").partition(" <")
        day = "2026-10-01T12:00:00+00:00"
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(self.root)}
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": address, f"GIT_{role}_DATE": day}
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str, *trailers: str, who: str = ADA, **files: str) -> str:
        """Write files (``a__b_py`` is ``a/b.py``) and commit them; return the commit's name."""
        for name, content in files.items():
            stem, _, ending = name.replace("__", "/").rpartition("_")
            path = self.root / f"{stem}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.git("add", "--all", who=who)
        body = "\n".join(trailers)
        self.git("commit", "--quiet", "--message", f"{message}\n\n{body}" if body else message, who=who)
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str, who: str) -> str:
        """Merge a branch into the current one with a commit of its own; return its name."""
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch, who=who)
        return self.git("rev-parse", "HEAD")


def reviewed_team(root: Path) -> tuple[Team, str, str]:
    """Return a team with two reviewed commits, of which the second made the current version, and their names."""
    team = Team(root)
    first = team.commit("Train", f"Reviewed-by: {BEN}", train_py="seed = 1\n", model_json=json.dumps(SETTINGS))
    second = team.commit("Weigh rare rows", f"Reviewed-by: {ADA}", who=BEN, train_py="seed = 1\nweigh = True\n")
    return team, first, second
