"""``monitor.1`` on a small shop: whether a notification arrives where it is declared to."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from mltestscore.errors import ConfigError, InputError
from tests.dependencies.shop import (
    DRILL,
    LOST,
    SECONDS,
    edit,
    failed,
    judged,
    opened,
    quick,
    written,
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return written(tmp_path)


def test_a_notification_to_another_place_is_lost(shop):
    edit(shop, "notify.py", 'Path("inbox")', 'Path("outbox")')
    result = judged(shop, drill={**DRILL, "within_seconds": 1.0})
    assert failed(result)[LOST].cause.startswith("nothing with its mark is at ")


def test_a_command_that_fails_is_quoted(shop):
    edit(shop, "notify.py", "write(sys.argv[1])", "sys.exit('no route to host')")
    cause = failed(judged(shop))[LOST].cause
    assert "ended with status 1 and said: no route to host" in cause


def test_a_late_notification_within_the_promise_is_healthy_and_one_beyond_it_is_told_from_a_lost_one(shop):
    edit(shop, "notify.py", "write(sys.argv[1])", "time.sleep(3.2); write(sys.argv[1])")
    assert judged(shop, drill={**DRILL, "within_seconds": 20.0}).state == "passed"
    result = judged(shop, drill={**DRILL, "within_seconds": 3.0})
    assert list(failed(result)) == [SECONDS]


def test_a_queue_that_somebody_else_empties_later_is_healthy_and_what_hangs_is_stopped(shop):
    worker = "import subprocess; subprocess.Popen([sys.executable, 'later.py', sys.argv[1]])"
    edit(shop, "notify.py", "write(sys.argv[1])", worker)
    (shop / "later.py").write_text(
        "import sys, time, notify\ntime.sleep(1)\nnotify.write(sys.argv[1])\ntime.sleep(600)\n"
    )
    assert judged(shop).state == "passed"
    time.sleep(0.2)
    assert [one for one in psutil.process_iter(["cmdline"]) if "later.py" in (one.info["cmdline"] or ())] == []


@pytest.mark.parametrize(("remove", "left"), [(True, 0), (False, 1)])
def test_the_probe_is_left_or_removed_as_the_configuration_says(shop, remove, left):
    (shop / "inbox" / "old.eml").write_text("a message of somebody")
    assert judged(shop, prove=remove, drill={**DRILL, "remove": remove}).state == "passed"
    assert len(list((shop / "inbox").iterdir())) == 1 + left


def test_a_file_that_may_hold_messages_of_others_is_not_removed(shop):
    edit(shop, "notify.py", ".eml", ".jsonl")
    assert judged(shop, drill={**DRILL, "remove": True}).state == "passed"
    assert len(list((shop / "inbox").iterdir())) == 1


def test_nothing_is_sent_without_permission(shop):
    result = judged(shop, drill={**DRILL, "probe": False})
    assert (result.state, list((shop / "inbox").iterdir())) == ("inconclusive", [])


@pytest.mark.parametrize(
    ("drill", "said"),
    [
        ({"notify": ["true"]}, "notify does not say where the message goes"),
        ({"notify": "no function:"}, 'write "module:function"'),
        ({"sink": "webhook"}, "write {sink} in notify"),
        ({"sink": "sqlite:///alerts.db"}, "names no table"),
        ({"sink": "alerts.jsonl", "remove": True}, "a probe can be taken out of a folder"),
    ],
)
def test_a_drill_that_cannot_work_is_a_config_error(shop, drill, said):
    with pytest.raises(ConfigError, match=said):
        opened(shop, drill={**DRILL, **drill})


def test_old_notifications_that_nobody_acknowledged_are_pointed_out(shop):
    rows = "sent_at,acknowledged_at\n2027-01-01,2027-01-02T10:00:00Z\n2027-01-01,\n2027-02-27T00:00:00Z,\n"
    (shop / "notices.csv").write_text(rows)
    result = quick(shop, notices="notices.csv")
    (found,) = [one for one in result.findings if one.name.startswith("notifications")]
    assert (found.value, found.n, found.advisory, result.state) == (1, 3, True, "passed")
    (shop / "none.csv").write_text("sent_at,acknowledged_at\n")
    assert quick(shop, notices="none.csv").state == "passed"
    (shop / "other.csv").write_text("sent,acknowledged_at\n2027-01-01,\n")
    with pytest.raises(InputError, match="no column 'sent_at'"):
        opened(shop, notices="other.csv")
    (shop / "odd.csv").write_text("sent_at,acknowledged_at\nsoon,\n")
    with pytest.raises(InputError, match="holds 'soon', which is no time"):
        opened(shop, notices="odd.csv")
