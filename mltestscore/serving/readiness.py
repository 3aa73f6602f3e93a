"""Waiting until a server that we started is ready: it says so *and* it answers a row."""

from __future__ import annotations

import time

from mltestscore.errors import InputError
from mltestscore.serving.bodies import Columns
from mltestscore.serving.client import Client
from mltestscore.serving.process import Server
from mltestscore.serving.transports.base import NotReadyError

PROBE_PAUSE = 0.1


def wait_until_ready(client: Client, server: Server, row: Columns, ready_by: float) -> str:
    """Wait until the server's status route says ready and ``row`` is answered; return the version that it names.

    Raises :class:`InputError` when the server ends, refuses the row, or is not ready by then, with its last output.
    """
    while True:
        reason = ""
        try:
            ready, version = client.status()
            if ready:
                return client.predict(row).version or version
        except NotReadyError as error:
            reason = str(error)
        server.require_running()
        if time.monotonic() > ready_by:
            raise InputError(
                f"endpoint: the server is not ready in time (ready_timeout): "
                f"{reason or client.describe_status()}\n"
                f"Started as {server.describe()}"
            )
        time.sleep(PROBE_PAUSE)
