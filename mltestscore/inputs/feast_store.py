"""Feature values from a Feast repository, offline and online, fetched by the Python that Feast is installed in.

Feast 0.67 allows pandas 2 only, so it may need an environment of its own; files of Parquet go to and fro.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.config import Config

How = Literal["historical", "online", "materialized"]
SOURCE = "feast"
SCRIPT = Path(__file__).with_name("feast_process.py")


@dataclass(frozen=True)
class FeastStore:
    """Where Feast is, and what to ask it for.

    Attributes:
        repository: the folder of ``feature_store.yaml``.
        features: as Feast writes them, ``"view:feature"``.
        service: a feature service, whose features are added.
        python: the interpreter that imports Feast; empty: this one.
        timeout: seconds until a request is stopped.
    """

    repository: Path
    features: tuple[str, ...] = ()
    service: str = ""
    python: str = ""
    timeout: float = 300.0

    def __post_init__(self) -> None:
        if not (self.features or self.service):
            raise ConfigError('Feast is asked for no feature; write features = ["view:feature"] or service = "name"')
        wrong = [one for one in self.features if not all(one.partition(":"))]
        if wrong:
            raise ConfigError(f'features names {wrong[0]!r:.80}; write "view:feature", as Feast does')
        if not (self.repository / "feature_store.yaml").is_file():
            raise InputError(
                f"{self.repository.resolve()} has no feature_store.yaml; name the folder of a Feast repository"
            )

    def values(self, rows: Dataset, how: How) -> pd.DataFrame:
        """Return the key and time columns of ``rows``, the columns of Feast's entities, and the features.

        ``historical``: as they were known at the time of each row. ``online``: as the online store has them now, one
        row an entity. ``materialized``: as the offline store had them when each view was last copied into the online
        store, one row an entity; what came later is not late, so it is no difference.

        Raises :class:`InputError` when Feast is not there, refuses, or takes too long.
        """
        if how == "historical" and not rows.roles.time:
            raise ConfigError(f"{rows.name} has no time to ask Feast's history for; name its time column")
        request = {
            "repository": str(self.repository.resolve()),
            "features": list(self.features),
            "service": self.service,
            "how": how,
            "time": rows.roles.time,
            "kept": [name for name in (*rows.roles.key, rows.roles.time) if name] if how == "historical" else [],
        }
        with tempfile.TemporaryDirectory(prefix="mltestscore-feast-") as name:
            work = Path(name)
            (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
            rows.frame().to_parquet(work / "rows.parquet", index=False)
            return self._answer(work)

    def _answer(self, work: Path) -> pd.DataFrame:
        import pandas as pd

        from mltestscore.codetests.sandbox import run

        # Beside our own modules, the script would import those for Feast's.
        script = shutil.copy(SCRIPT, work / "ask_feast.py")
        python = self.python or sys.executable
        variables = {"PYTHONPATH": str(self.repository.resolve()), "FEAST_USAGE": "False"}
        try:
            done = run(
                [python, str(script), str(work)],
                sandbox=self.repository,
                home=self.repository,
                timeout=self.timeout,
                variables=variables,
            )
        except OSError as error:
            raise InputError(
                f"Feast's Python {python!r} cannot be started: {error.strerror}; name it in python"
            ) from None
        if done.code is None:
            raise InputError(f"Feast took more than {self.timeout:g} s; ask for fewer rows or raise timeout")
        if (work / "error.json").is_file():
            said = json.loads((work / "error.json").read_text(encoding="utf-8"))
            raise InputError(f"{said}{self._remedy(said)}")
        if done.code:
            raise InputError(f"Feast's process ended with {done.code}: {done.said[-500:]}")
        return pd.read_parquet(work / "values.parquet")

    def _remedy(self, said: str) -> str:
        if not said.startswith("Feast cannot be imported"):
            return f" (asked of {self.repository.resolve()})"
        return (
            '. Install it there, or name the interpreter of an environment that has it: python = "feast-env/bin/python"'
        )


def from_config(name: str, config: Config, roles: Roles) -> Dataset:
    """Return ``serving`` (online) or ``recomputed`` (offline) where its ``source`` is ``"feast"``.

    The rows that Feast is asked for are those of ``rows``, else of the serving log; where ``serving`` comes from Feast
    as well, both stores are compared entity by entity.

    Raises :class:`ConfigError` for another dataset, without ``[tool.mltestscore.feast]`` and without rows.
    """
    settings, serving = config.feast, config.data.get("serving")
    if name not in ("serving", "recomputed"):
        raise ConfigError('source = "feast" offers serving (online) and recomputed (offline) only; name a file')
    if settings is None:
        raise ConfigError('source = "feast" needs repository and features under [tool.mltestscore.feast]')
    online = serving is not None and serving.source == SOURCE
    log = None if online or serving is None else serving.source
    if not (settings.rows or log):
        raise ConfigError('Feast is asked for no rows; write rows = "entities.parquet" under [tool.mltestscore.feast]')
    how: How = "online" if name == "serving" else "materialized" if online else "historical"
    python = settings.python if Path(settings.python).name == settings.python else str(config.path(settings.python))
    store = FeastStore(
        config.path(settings.repository), tuple(settings.features), settings.service, python, settings.timeout
    )
    wanted = Roles(key=roles.key, time=roles.time if how == "historical" else "")
    rows = open_dataset("the rows for Feast", settings.rows or log, wanted, base=config.folder)
    return open_dataset(name, store.values(rows, how), roles, base=config.folder)
