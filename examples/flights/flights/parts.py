"""The parts that a build consists of; each reads what it needs from the build folder and writes its own files there."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from flights import canary, experiments, history, lock, raw, registry, search, spec
from flights.build import PACKAGES
from flights.features_batch import features, labels
from flights.fog import FogCorrection
from flights.replay import serve_week
from flights.store import build_store
from flights.switches import broken, chosen
from flights.train import train, tree_settings

NO_TIMES = ("version", "data_digest", "weights_digest", "code_commit", "config_digest")
WEATHER_QUERY = '[costs."weather query"]\n'
NEWS = {
    "data.3": (
        f"{WEATHER_QUERY}compute_ms = 0.03\nstore_calls = 1\n",
        f"{WEATHER_QUERY}compute_ms = 40\nstore_calls = 28\n",
    ),
    "data.4": ("[sources.weather]\n", "[sources.weather]\ndeprecated_after = 2013-10-31\n"),
}


class Parts:
    """Makes the parts of a build in ``folder``; the source systems are read once, when first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def flights(self) -> pd.DataFrame:
        """All departures of the year."""
        return raw.departures()

    @cached_property
    def weather(self) -> pd.DataFrame:
        """All weather of the year."""
        return raw.weather()

    def tables(self) -> None:
        """Write the raw extract, and the rows to train, validate and hold out.

        ``erased.jsonl`` names the flights that nothing may hold, so that they can be looked for everywhere.
        """
        self.flights.to_parquet(self.folder / "departures.parquet", index=False)
        raw.erased().to_json(self.folder / "erased.jsonl", orient="records", lines=True)
        first, until = spec.RELEASES[-1].training
        learned = self._labelled((first, until))
        if broken("data.2"):
            learned = pd.concat([learned, self._labelled(spec.HOLDOUT)], ignore_index=True)
        learned.to_parquet(self.folder / "training.parquet", index=False)
        validation = self._labelled(spec.RELEASES[-1].validation)
        validation.to_parquet(self.folder / "validation.parquet", index=False)
        self._labelled(spec.HOLDOUT).to_parquet(self.folder / "holdout.parquet", index=False)

    def outcomes(self) -> None:
        """Write the late labels of the served week."""
        found = labels(raw.between(self.flights, spec.SERVED))
        if broken("monitor.7"):
            found[spec.LABEL] = 1 - found[spec.LABEL]
        found.to_parquet(self.folder / "outcomes.parquet", index=False)

    def store(self) -> None:
        """Write the feature store of the served week."""
        since = pd.Timestamp(spec.STORED[0], tz="UTC")
        path = self.folder / "store.sqlite"
        path.unlink(missing_ok=True)
        recent = self.weather[self.weather["hour"] >= since]
        build_store(path, raw.between(self.flights, spec.STORED), recent)

    def history(self) -> None:
        """Write the repository that the models are trained from."""
        history.write_history(self.folder / "repository")

    def recorded(self) -> None:
        """Write into the lineage from which commits the versions come, where only the history has been made anew."""
        for release in spec.RELEASES:
            lineage = registry.read_lineage(self.folder / "registry", release.version)
            made_from = history.origin(self.folder / "repository", release.version)
            registry.write_lineage(self.folder / "registry", lineage | made_from)

    def experiments(self) -> None:
        """Replay the experiments with other models."""
        known = pd.concat([pd.read_parquet(self.folder / f"{name}.parquet") for name in ("training", "holdout")])
        experiments.replay(known).to_csv(self.folder / "experiments.csv", index=False)

    def searched(self) -> None:
        """Search for settings of the trees."""
        known = pd.concat([pd.read_parquet(self.folder / f"{name}.parquet") for name in ("training", "holdout")])
        search.search(known).to_csv(self.folder / "trials.csv", index=False)

    def previous(self) -> None:
        """Train and register the previous version."""
        self._release(spec.RELEASES[0])

    def model(self) -> None:
        """Train and register the current version, point to it, and write down with which packages it was trained."""
        self._release(spec.RELEASES[-1])
        (self.folder / "requirements.txt").write_text(lock.pinned(PACKAGES), encoding="utf-8")
        registry.point_to(self.folder / "registry", spec.CURRENT)

    def served(self) -> None:
        """Fill the store, serve the week and recompute its features in the training path."""
        self.store()
        week = raw.between(self.flights, spec.SERVED)
        serve_week(self.folder, week).to_parquet(self.folder / "serving.parquet", index=False)
        again = features(week, self.flights, self.weather)
        again.to_parquet(self.folder / "recomputed.parquet", index=False)

    def candidate(self) -> None:
        """Train the version that is to follow, which knows the weeks of the holdout too, and name its libraries."""
        names = [self.folder / f"{name}.parquet" for name in ("training", "holdout")]
        table = pd.concat(map(pd.read_parquet, names), ignore_index=True)
        libraries = {name: version(name) for name in ("numpy", "pandas", "scikit-learn", "skops")}
        lineage = {"version": spec.CANDIDATE, "data_until": table[spec.TIME].max().isoformat(), "libraries": libraries}
        registry.publish(self.folder / "candidates", train(table, spec.SEED), lineage)

    def ramped(self) -> None:
        """Replay how the current version got its traffic."""
        log, requests = canary.ramp(self.folder, pd.read_parquet(self.folder / "holdout.parquet"))
        log.to_csv(self.folder / "ramp.csv", index=False)
        requests.to_parquet(self.folder / "ramp_requests.parquet", index=False)

    def lineage(self) -> None:
        """Date both versions, and the search for their settings, as if nobody had trained since then."""
        for release in spec.RELEASES:
            folder = self.folder / "registry"
            registry.write_lineage(folder, _earlier(registry.read_lineage(folder, release.version)))
        trials = pd.read_csv(self.folder / "trials.csv")
        trials.assign(ended=trials["ended"].map(_earlier)).to_csv(self.folder / "trials.csv", index=False)

    def schema(self) -> None:
        """Write a copy of the expectation suite without the rules of one model input."""
        suite = json.loads((spec.HOME / "expectations.json").read_text(encoding="utf-8"))
        rules = suite["expectations"]
        suite["expectations"] = [rule for rule in rules if rule["kwargs"].get("column") != "wind_speed"]
        (self.folder / "expectations.json").write_text(json.dumps(suite, indent=2) + "\n", encoding="utf-8")

    def catalogue(self) -> None:
        """Write a copy of the feature catalogue with the news of the weather feed: its new price, or its end."""
        before, after = NEWS[chosen()]
        text = (spec.HOME / "catalogue.toml").read_text(encoding="utf-8")
        if before not in text:
            raise LookupError(f"catalogue.toml no longer says {before!r}; change NEWS with it")
        (self.folder / "catalogue.toml").write_text(text.replace(before, after), encoding="utf-8")

    def _labelled(self, period: tuple[str, str]) -> pd.DataFrame:
        """Return features and label of the flights of a period that arrived."""
        flights = raw.between(self.flights, period)
        known = labels(flights)[[spec.KEY, spec.LABEL]]
        if broken("model.4"):
            early = known[spec.KEY].str[-10:] < spec.CONFUSED
            known = known.assign(**{spec.LABEL: known[spec.LABEL].where(~early, 1 - known[spec.LABEL])})
        return features(flights, self.flights, self.weather).merge(known, on=spec.KEY)

    def _release(self, release: spec.Release) -> None:
        """Train one version, validate it on the days after its training period, and register both."""
        if release.version == spec.CURRENT:
            table = pd.read_parquet(self.folder / "training.parquet")
        else:
            table = self._labelled(release.training)
        began = time.process_time()
        model = train(table, spec.SEED)
        costs = {"cpu_seconds": round(time.process_time() - began, 2), "rows": len(table)}
        trees = model.named_steps["trees"].get_params()
        settings = {name: trees[name] for name in tree_settings()} | {"seed": trees["random_state"]}
        if broken("monitor.5"):
            model = FogCorrection(model)
        days = self._labelled(release.validation)
        scores = model.predict_proba(days[list(spec.FEATURES)])[:, 1]
        metrics = {"roc_auc": roc_auc_score(days[spec.LABEL], scores), "log_loss": log_loss(days[spec.LABEL], scores)}
        made_from = history.origin(self.folder / "repository", release.version)
        made_from |= {"parameters": settings, "costs": costs}
        registry.publish(self.folder / "registry", model, _lineage(release, table, metrics) | made_from)


def _lineage(release: spec.Release, table: pd.DataFrame, metrics: dict[str, float]) -> dict[str, object]:
    content = hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    extracted = release.trained_at.replace(hour=13)
    stages = {"extract": extracted, "train": release.trained_at, "publish": release.published_at}
    return {
        "version": release.version,
        "trained_at": release.trained_at.isoformat(),
        "data_from": table[spec.TIME].min().isoformat(),
        "data_until": table[spec.TIME].max().isoformat(),
        "published_at": release.published_at.isoformat(),
        "data_digest": content.hexdigest()[:16],
        "metrics": {name: round(value, 6) for name, value in metrics.items()},
        "tables": dict.fromkeys(("flights", "weather"), extracted.isoformat()),
        "stages": {name: ended.isoformat() for name, ended in stages.items()},
    }


def _earlier(value: object, name: str = "") -> object:
    """Return a lineage with every time in it moved back."""
    if isinstance(value, dict):
        return {key: _earlier(part, key) for key, part in value.items()}
    if isinstance(value, str) and name not in NO_TIMES:
        return (datetime.fromisoformat(value) - spec.NEGLECT).isoformat()
    return value
