"""Faults upstream that nobody announced: a feed's columns, a library, and news that arrives nowhere."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System, generator

FEED, LOCK, ALERTS = "flights/upstream.py", "build/requirements.txt", "flights/alerts.py"
DELIVERED = "    return rows.rename"
NEWS = (
    '    rows = rows.assign(gusts_mps=rows["wind_gust"] / 2.237)\n',
    '    rows = rows.rename(columns={"temp": "temperature"})\n',
    '    rows = rows.assign(time_hour=rows["time_hour"].astype(str)).drop(columns="visib")\n',
)


@fault(
    "O1a",
    "monitor.1",
    "the weather feed has one column more; has renamed one; has lost one and writes times as texts",
    (0, 1, 2),
    ["contracts that changed and nobody agreed", "weather"],
)
def feed(system: System, severity: float, seed: int) -> list[str]:
    system.edit(FEED, DELIVERED, NEWS[int(severity)] + DELIVERED)
    return [("gusts_mps", "temperature", "visib")[int(severity)]]


@feed.healthy("the change was announced and agreed to; the columns come in another order, with other values and gaps")
def announced(system: System, severity: float, seed: int) -> None:
    feed.inject(system, severity, seed)
    words = '["weather", "--by", "Model owner"]'
    system.script(f"from mltestscore.cli import app; app(['acknowledge', *{words}], standalone_mode=False)")
    mixed = "    rows = rows[sorted(rows)].assign(wind_gust=None, year=2014).sample(frac=0.5, random_state=1)\n"
    system.edit(FEED, DELIVERED, mixed + DELIVERED)


@fault(
    "O1b",
    "monitor.1",
    "of the six locked packages 1, 3, 6 are of another version where it serves",
    (1, 3, 6),
    ["packages of another version than locked"],
)
def bumped(system: System, severity: float, seed: int) -> list[str]:
    lines = (system.home / LOCK).read_text(encoding="utf-8").splitlines()
    chosen = generator(seed, "O1b").permutation(len(lines))[: int(severity)]
    for place in chosen:
        lines[place] += ".post1" if place % 2 else ".1"
    (system.home / LOCK).write_text("\n".join(lines), encoding="utf-8")
    return [lines[place].partition("==")[0] for place in chosen]


@bumped.healthy("the lock is written by another tool: builds, hashes, markers, names and order differ")
def relocked(system: System, severity: float, seed: int) -> None:
    lines = (system.home / LOCK).read_text(encoding="utf-8").splitlines()
    hashed = [
        f"{line}+build.{place} ; python_version >= '3' \\\n    --hash=sha256:0" for place, line in enumerate(lines)
    ]
    text = "\n".join(reversed(hashed)).replace("scikit-learn", "Scikit_Learn")
    (system.home / LOCK).write_text(text + "\nwincertstore==0.2 ; sys_platform == 'win32'\n", encoding="utf-8")


@fault(
    "O1c",
    "monitor.1",
    "news of dependencies goes to another folder; its sender fails; the sender takes it and drops it",
    (0, 1, 2),
    ["probes that did not arrive"],
)
def nowhere(system: System, severity: float, seed: int) -> None:
    system.edit("pyproject.toml", "within_seconds = 30", "within_seconds = 3")
    place = 'Path(options.build) / "mail"'
    news = (place.replace("mail", "post"), "Path('/dev/null/mail')", place)[int(severity)]
    system.edit(ALERTS, place, news)
    if severity == 2:
        system.edit(ALERTS, "    mailbox.Maildir(folder).add(mail)", "    del mail, folder")


@nowhere.healthy("news is delivered by a queue, seconds later and in another encoding")
def queued(system: System, severity: float, seed: int) -> None:
    system.edit(
        ALERTS, "    send(options.text", f"    import time\n\n    time.sleep({1 + severity})\n    send(options.text"
    )
    system.edit(ALERTS, "set_content(text)", 'set_content(text + " ☂", cte="base64")')
