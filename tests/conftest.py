"""Fixtures for all tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Start a real PostgreSQL server; return the URL of a database on it."""
    if not BINARIES:
        pytest.skip("no PostgreSQL server is installed under /usr/lib/postgresql")
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user and subprocess.run([*as_user, "true"], check=False).returncode:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="mltestscore-pg-"))
    if as_user:
        shutil.chown(folder, "postgres")
    binaries, data = BINARIES[-1].parent, folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: object) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, timeout=60, cwd="/")

    try:
        call(binaries / "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-D", data)
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        call(binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        yield f"postgresql://postgres:sesame@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists() or as_user:
            subprocess.run(
                [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"],
                check=False,
                stdout=subprocess.DEVNULL,
                timeout=60,
                cwd="/",
            )
        shutil.rmtree(folder, ignore_errors=True)
