"""A server's management as data, by which a drill switches versions: ``[tool.mltestscore.servers.<name>]`` or ours.

Texts may hold settings as in :mod:`mltestscore.settings_serving`, and ``{version}``. In a body, ``{"$kept" = {…}}``
stands for what the route ``kept`` answered before anything was changed, with the given keys in place of its own, and
``{"$text" = …}`` for its value written as JSON in a text.
"""

from __future__ import annotations

from typing import Any, Literal

from mltestscore.settings import Table
from mltestscore.settings_serving import Route, RouteText, Setting, Texts


class Asked(Table):
    """A question about versions.

    Attributes:
        ask, body: the request.
        where: places of the versions in its answer, of which the first that is there counts.
        absent: HTTP statuses that say that there is none.
    """

    ask: RouteText
    body: Any = None
    where: Texts = [""]
    absent: list[int] = []


class Step(Table):
    """One request that changes something.

    Attributes:
        ask, body: the request.
        unless_loaded: sent only while ``loaded`` does not list the version.
        allow: HTTP statuses that are no failure, besides success.
        until: what is asked afterwards, until it says so; further steps wait for it.
    """

    ask: RouteText
    body: Any = None
    unless_loaded: bool = False
    allow: list[int] = []
    until: Route | None = None


class Operations(Table):
    """How versions are switched on one kind of server.

    Attributes:
        title, source: the server, and where its management is described.
        protocol: the wire protocol by which it is asked for predictions.
        settings: names that texts here may hold, with their defaults; ``model`` is always one.
        management: where management is asked, as a path before all routes: ``":8081"`` is another port of the server's
            host; empty: the server's own URL. ``management_url`` of the drill takes its place.
        registry: what says which version is in service: the ``server`` itself, by the routes here, or another kind.
        current: the version in service, the newest by number where several are named.
        versions: all versions that are known; what the drill names as ``previous`` is added.
        loaded: those that are loaded; without it, those of ``versions``.
        kept: the route whose answer is needed to put back what ``promote`` changes.
        promote: puts ``{version}`` in service.
        put_back: puts the current version back; without it, as ``promote``.
        tidy: unloads each ``{version}`` that was not loaded before the drill.
        redeploy: makes the server load what the registry names, at the server's own URL.
        command, environment, restart: how a server is started that keeps its model for life.
        waits: what is known of requests that wait while versions switch, told where some time out.
        hints: HTTP status → what to do about it.
    """

    title: str = ""
    source: str = ""
    protocol: str = ""
    settings: dict[str, Setting] = {}
    management: str = ""
    registry: Literal["server", "folder", "mlflow"] = "server"
    current: Asked | None = None
    versions: Asked | None = None
    loaded: Asked | None = None
    kept: Asked | None = None
    promote: list[Step] = []
    put_back: list[Step] = []
    tidy: list[Step] = []
    redeploy: RouteText = ""
    command: list[str] = []
    environment: dict[str, str] = {}
    restart: bool = False
    waits: str = ""
    hints: dict[str, str] = {}
