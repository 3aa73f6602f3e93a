"""A probe through every kind of sink: it is seen where it is, not seen where it is not, and removed only if asked."""

from __future__ import annotations

import base64
import mailbox
import sqlite3
import sys
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from mltestscore.dependencies import sinks
from mltestscore.dependencies.drill import Arrival, Drill, checked, exercised
from mltestscore.dependencies.receiver import Receiver
from mltestscore.errors import InputError

TOKEN = "probe-0123456789abcdef"


def drilled(folder: Path, code: str, sink: str, **settings: Any) -> tuple[Drill, Arrival]:
    """Send a probe with a small program that has its message as ``text`` and the address as ``sink``."""
    (folder / "tell.py").write_text(f"import sys\ntext, sink = sys.argv[1:]\n{code}\n")
    words = (sys.executable, "tell.py", "{message}", "{sink}")
    drill = checked(Drill(words, sink, **{"within_seconds": 20.0, "folder": folder, **settings}))
    return drill, exercised(drill)


def told_apart(drill: Drill) -> bool:
    """Say whether the same sink does not hold a probe that was never sent."""
    return exercised(drill.replace(expected="probe-never-sent")).seconds is None


@pytest.mark.parametrize(
    ("sink", "code"),
    [
        ("queue.jsonl", "import json\nopen(sink, 'a').write(json.dumps({'text': text}) + '\\n')"),
        ("inbox.mbox", "import mailbox\nbox = mailbox.mbox(sink)\nbox.add('Subject: x\\n\\n' + text)\nbox.flush()"),
        ("mail", "import mailbox\nmailbox.Maildir(sink).add('Subject: x\\n\\n' + text)"),
        (
            "mail",
            "import mailbox\nfrom email.message import EmailMessage\nmail = EmailMessage()\n"
            "mail.set_content(text + ' ü', cte='base64')\nmailbox.Maildir(sink).add(mail)",
        ),
        ("webhook", "import httpx\nhttpx.post(sink, json={'blocks': [{'text': text}]}).raise_for_status()"),
    ],
    ids=["queue", "mbox", "maildir", "base64", "webhook"],
)
def test_a_probe_is_found_in_files_folders_and_a_webhook(tmp_path, sink, code):
    (tmp_path / "queue.jsonl").write_text('{"text": "older"}\n' * 1000)
    mailbox.Maildir(tmp_path / "mail").add("Subject: an older one\n\nnothing")
    drill, arrival = drilled(tmp_path, code, sink)
    assert (arrival.cause, arrival.seconds is not None) == ("", True)
    assert told_apart(drill)
    assert exercised(drill.replace(sink="nowhere")).seconds is None
    assert exercised(drill) is arrival


@pytest.mark.parametrize("remove", [True, False])
def test_a_probe_in_a_table_is_found_and_removed_alone(tmp_path, remove, monkeypatch):
    monkeypatch.setattr(sinks, "BUSY", 0.2)
    file = tmp_path / "alerts.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute('CREATE TABLE "the alerts" (at REAL, "what is new" TEXT)')
        connection.execute("INSERT INTO \"the alerts\" VALUES (1, 'older')")
    code = "import sqlite3\nwith sqlite3.connect('alerts.db') as c:\n"
    code += "    c.execute('INSERT INTO \"the alerts\" VALUES (2, ?)', [text])"
    drill, arrival = drilled(tmp_path, code, "sqlite:///alerts.db#the alerts", remove=remove)
    assert (arrival.cause, arrival.seconds is not None) == ("", True)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute('SELECT count(*) FROM "the alerts"').fetchone() == (2 - remove,)
    assert told_apart(drill)
    with closing(sqlite3.connect(file, isolation_level=None)) as writing:
        writing.execute("BEGIN EXCLUSIVE")
        assert exercised(drill.replace(expected="probe-while-somebody-writes")).seconds is None


def test_a_probe_in_a_database_is_found(tmp_path, postgresql):
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE TABLE alerts (id serial, body text)")
        connection.execute("INSERT INTO alerts (body) VALUES ('older'), (NULL)")
        code = f"import psycopg\nwith psycopg.connect({postgresql!r}, autocommit=True) as c:\n"
        code += "    c.execute('INSERT INTO alerts (body) VALUES (%s)', [text])"
        try:
            drill, arrival = drilled(tmp_path, code, f"{postgresql}#alerts")
            assert (arrival.cause, arrival.seconds is not None) == ("", True)
            assert told_apart(drill)
            assert exercised(drill.replace(sink=f"{postgresql}#none")).seconds is None
            assert "sesame" not in exercised(drill.replace(expected="probe-never-sent")).cause
        finally:
            connection.execute("DROP TABLE alerts")


def test_functions_may_send_and_look_and_one_that_says_yes_to_all_is_seen_through(tmp_path):
    code = "from pathlib import Path\ndef send(text): Path('q').write_text(text)\n"
    code += "def look(token): return [Path('q').read_text()] if Path('q').exists() else []\n"
    code += "def always(token): return True\ndef fails(token): raise OSError('no queue')\n"
    (tmp_path / "team_queue.py").write_text(code)
    drill = checked(Drill(("team_queue:send",), "team_queue:look", 20.0, folder=tmp_path))
    assert exercised(drill).cause == ""
    assert told_apart(drill)
    blind = checked(Drill(("team_queue:send",), "team_queue:always", 20.0, folder=tmp_path))
    exercised(blind)
    assert not told_apart(blind)
    with pytest.raises(InputError, match="no queue"):
        exercised(Drill(("team_queue:send",), "team_queue:fails", 20.0, folder=tmp_path))


def test_a_command_that_cannot_be_started_is_an_error_and_one_that_hangs_is_stopped(tmp_path):
    with pytest.raises(InputError, match="cannot be started"):
        exercised(Drill(("no-such-program", "{message}"), "q", 1.0, folder=tmp_path))
    drill, arrival = drilled(tmp_path, "import time; time.sleep(600)", "q", within_seconds=1.0)
    assert arrival.seconds is None
    assert 2 <= arrival.waited < 10
    assert "the command still ran after 2 s, was stopped and said: nothing" in arrival.cause
    assert drill.memory["token"] not in arrival.cause
    assert [
        one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(one.info["cmdline"] or ())
    ] == []


def test_the_message_goes_as_one_word_whatever_the_system_is_called(tmp_path):
    name = "shop'; touch broken; echo '{sink} $(touch broken)"
    _, arrival = drilled(tmp_path, "open('q', 'w').write(text)", "q", system=name)
    assert arrival.seconds is not None
    assert not (tmp_path / "broken").exists()


def test_the_webhook_takes_posts_to_its_own_path_and_nothing_else():
    with Receiver() as receiver:
        assert httpx.post(receiver.url, content=b"news").status_code == 200
        assert httpx.post(receiver.url + "x", content=b"noise").status_code == 404
        assert httpx.get(receiver.url).status_code == 501
        assert httpx.post(receiver.url, content=iter([b"endless"])).status_code == 411
        assert receiver.messages == [b"news"]
    with pytest.raises(httpx.ConnectError):
        httpx.post(receiver.url, content=b"late")


def test_a_token_is_read_out_of_encoded_mail():
    mail = EmailMessage()
    mail["Subject"] = f"Ünlucky {TOKEN}"
    assert sinks.contains(mail.as_bytes(), TOKEN)
    body = base64.encodebytes(f"ü {TOKEN}".encode())
    encoded = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + body
    assert TOKEN.encode() not in encoded
    assert sinks.contains(b"From a\n" + encoded + b"\nFrom b\n" + encoded, TOKEN)
    assert not sinks.contains(encoded, "probe-other")
    assert not sinks.contains(b"Content-Transfer-Encoding: base64\n\n\xff\xfe===", TOKEN)


def test_a_long_file_is_searched_where_it_grew(tmp_path, monkeypatch):
    monkeypatch.setattr(sinks, "MAX_BYTES", 1_000)
    file = tmp_path / "log"
    file.write_bytes(b"x" * 5_000)
    with sinks.opened("log", tmp_path) as sink:
        assert not sink.holds(TOKEN)
        file.write_bytes(b"x" * 5_000 + TOKEN.encode())
        assert sink.holds(TOKEN)
        file.write_bytes(TOKEN.encode())  # rotated
        assert sink.holds(TOKEN)
