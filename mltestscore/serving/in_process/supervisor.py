"""Starts the process that calls a function, ends it where a call hangs, and starts it anew: what no thread can do.

``supervisor.py URL PORT [--timeout S] [--threads N] [--loading JSON] [--version NAME] -- PYTHON …``. It keeps the port
open while the process is replaced, ends as the process ended, and imports nothing of ours: it must be small.
"""

from __future__ import annotations

import argparse
import mmap
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOST = str(Path(__file__).resolve().parent / "host.py")
PAUSE = 0.1
GRACE = 0.25
"""Seconds after the time-out: whoever waits for the call has given up before its process ends."""
DUMP = 0.5
"""Seconds for the process to write where it hangs."""


def main(words: list[str]) -> int:
    """Serve until the process ends by itself; return its exit code. It listens by itself once all is imported."""
    given = _arguments(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", given.port))
    with tempfile.TemporaryFile() as shared:
        shared.truncate(8 * given.threads)
        with mmap.mmap(shared.fileno(), 0) as began:
            while True:
                code = _serve(given, listener, shared.fileno(), began)
                if code is not None:
                    return code if code >= 0 else 128 - code
                began[:] = bytes(len(began))


def _arguments(words: list[str]) -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m mltestscore.serving.in_process")
    reader.add_argument("url")
    reader.add_argument("port", type=int)
    reader.add_argument("--timeout", type=float, default=5.0)
    reader.add_argument("--threads", type=int, default=1)
    reader.add_argument("--loading", default="{}")
    reader.add_argument("--version", default="")
    reader.add_argument("python", nargs="+")
    return reader.parse_args(words)


def _serve(given: argparse.Namespace, listener: socket.socket, shared: int, began: mmap.mmap) -> int | None:
    """Run one process; return its exit code, ``None`` where a call hung."""
    handed = (listener.fileno(), shared)
    own = [HOST, given.url, str(given.threads), given.loading, given.version, *map(str, handed)]
    process = subprocess.Popen([*given.python, *own], pass_fds=handed, stdin=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            starts = [one for one in struct.unpack(f"{given.threads}d", began[:]) if one]
            if starts and time.monotonic() - min(starts) > given.timeout + GRACE:
                _end(process, given.timeout)
                return None
            time.sleep(PAUSE)
        return process.returncode
    finally:
        process.kill()
        process.wait()  # nobody else would: it would stay a zombie


def _end(process: subprocess.Popen[bytes], timeout: float) -> None:
    print(f"a call took more than {timeout:g} s; its process is ended and started anew. It is here:", flush=True)
    process.send_signal(signal.SIGUSR1)
    time.sleep(DUMP)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
