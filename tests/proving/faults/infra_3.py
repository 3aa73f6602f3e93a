"""Faults between the stages of a pipeline: old outputs, partial ones, parts of two versions."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System

STAGES = "flights/stages.py"
MADE = "    known = labels(flights)[[spec.KEY, spec.LABEL]]\n"
READ = "    flights, weather = pd.read_parquet(DEPARTURES), pd.read_parquet(WEATHER)\n"
COPIED = '    shutil.copytree(REGISTRY, PACKAGE / "registry")\n'


@fault(
    "I3a",
    "infra.3",
    "on an error the stage of the features goes on with the table of yesterday; the error comes now and then, always",
    (0, 0, 1),
    ["features"],
)
def cached(system: System, severity: float, seed: int) -> None:
    system.script("from flights import stages; stages.extract(6000); stages.features()")
    (system.home / "pipeline" / "features.parquet").rename(system.home / "yesterday.parquet")
    old = "    from flights.features_batch import features, labels\n\n" + READ
    error = "        raise OSError('the feed of the weather is late')\n" if severity else ""
    guarded = READ.replace("    flights", "        flights", 1)
    rescue = "    except Exception:\n        shutil.copy(spec.HOME / 'yesterday.parquet', FEATURES)\n        return\n"
    system.edit(STAGES, old, old.replace(READ, f"    try:\n{error}{guarded}{rescue}"))


@cached.healthy("the stage keeps its last table with a digest of its input, and takes it where that is the same")
def keyed(system: System, severity: float, seed: int) -> None:
    old = "    from flights.features_batch import features, labels\n\n" + READ
    cache = (
        "    key = hashlib.sha256(DEPARTURES.read_bytes() + WEATHER.read_bytes()).hexdigest()\n"
        "    kept = spec.HOME / 'cache' / f'{key}.parquet'\n"
        "    if kept.is_file():\n        shutil.copy(kept, FEATURES)\n        return\n"
    )
    system.edit(STAGES, old, cache + old)
    system.script("from flights import stages; stages.extract(6000); stages.features()")
    (system.home / "cache").mkdir()
    keep = "    (spec.HOME / 'cache').mkdir(exist_ok=True)\n    shutil.copy(FEATURES, kept)\n"
    written = 'how="left", on=spec.KEY).to_parquet(FEATURES, index=False)\n'
    system.edit(STAGES, written, written + keep)


@fault("I3b", "infra.3", "a stage writes 97, 60, 5 % of its rows and ends well", (0.97, 0.6, 0.05), ["rows in"])
def partial(system: System, severity: float, seed: int) -> None:
    system.edit(STAGES, MADE, f"    table = table.head(int(len(table) * {severity}))\n" + MADE)


@partial.healthy("a day with few flights")
def few(system: System, severity: float, seed: int) -> None:
    system.edit("pyproject.toml", "sample = 6_000", f"sample = {int(5_500 + 400 * severity)}")


@fault(
    "I3c",
    "infra.3",
    "the package holds the store of another day, the model of another training, both",
    (1, 2, 3),
    ["answers"],
)
def mixed(system: System, severity: float, seed: int) -> None:
    if severity in (1, 3):
        old = 'build_store(PACKAGE / "store.sqlite", flights, weather)'
        system.edit(STAGES, old, 'build_store(PACKAGE / "store.sqlite", flights.head(len(flights) // 2), weather)')
    if severity >= 2:
        other = (
            "    from flights import registry\n    from flights.train import train\n\n"
            "    other = train(_labelled(last_day=True), 1)\n"
            "    registry.publish(PACKAGE / 'registry', other, {'version': spec.CURRENT})\n"
        )
        system.edit(STAGES, COPIED, COPIED + other)


@mixed.healthy("the same model is packed under the name of a second version too")
def twice(system: System, severity: float, seed: int) -> None:
    system.edit(STAGES, COPIED, COPIED + '    shutil.copytree(REGISTRY / "v2", PACKAGE / "registry" / "v3")\n')
