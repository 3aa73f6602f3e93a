"""The servers on which roll-backs are drilled for real: how each one starts, the team's table, what must be found."""

from __future__ import annotations

from dataclasses import dataclass

NO_ANSWER = "requests that fail while swapping"
STAYS = "roll-backs after which the old version did not answer"


@dataclass(frozen=True)
class System:
    """One drill on one server.

    Words and lines may hold ``{python}`` and ``{bin}`` of its environment, ``{servers}``, ``{matrix}`` (the servers of
    ``tests/serving/matrix``), ``{folder}`` (its own), ``{port}``, ``{port2}``, ``{port3}``.

    Attributes:
        package: what its list of packages pins.
        prepare: what makes the versions.
        start: what starts the server; empty where the drill does so.
        table: ``[tool.mltestscore.rollback]``, besides ``drill = true``.
        finds: the finding that must fail, and words of its cause; empty where the drill must pass.
        killed: a first drill is killed half-way, and the second one must put back what it left.
        environment: variables of the server.
        low_ports: it takes none above 32,766.
    """

    name: str
    title: str
    package: str
    table: tuple[str, ...]
    prepare: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    requirements: str = ""
    versions: tuple[str, str] = ("1", "2")
    finds: tuple[str, str] | None = None
    killed: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    low_ports: bool = False


URL, MANAGEMENT = 'url = "http://127.0.0.1:{port}"', 'management_url = "http://127.0.0.1:{port2}"'
NAMED = ('model = "line"', "settings.named = true")


def _torchserve(name: str, title: str, registered: str, *table: str, load_s: float = 0.0, **more: object) -> System:
    return System(
        name,
        f"TorchServe, {title}",
        "torchserve",
        ('server = "torchserve"', URL, MANAGEMENT, *NAMED, *table),
        start=("{python}", "{servers}/torchserve_start.py", "{folder}", "{port}", "{port2}", "{port3}", registered),
        requirements="torchserve",
        versions=("1.0", "2.0"),
        environment=(("LOAD_S", f"{load_s:g}"),),
        **more,  # type: ignore[arg-type]
    )


def _triton(name: str, title: str, policy: str, *table: str, load_s: float = 0.0, **more: object) -> System:
    return System(
        name,
        f"NVIDIA Triton, {title}",
        "nvidia-pytriton",
        ('server = "triton"', URL, 'model = "iris"', 'settings.tensor = "x"', 'settings.output = "y"', *table),
        start=("{python}", "{matrix}/triton_server.py", "{folder}", "{port}", "{port2}", "{port3}"),
        requirements="triton",
        environment=(("POLICY", policy), ("LOAD_S", f"{load_s:g}")),
        **more,  # type: ignore[arg-type]
    )


HOT = ('previous = "1.0"', "max_seconds = 60")
REGISTERS = (*HOT, 'settings.archive = "line-{version}.mar"')
AT_ONCE = (  # as TorchServe's own examples register
    "[tool.mltestscore.servers.torchserve]",
    "promote = [",
    "{ask = 'POST /models?url={archive}&model_name={model}&initial_workers=1&synchronous=true', unless_loaded = true},",
    "{ask = 'PUT /models/{model}/{version}/set-default'},",
    "]",
)
LATEST, COLD = "latest { num_versions: 1 }", ('previous = "1"', "max_seconds = 40", "request_timeout = 5")
MLFLOW = (
    *('server = "mlflow"', 'uri = "sqlite:///mlflow.db"', 'name = "line"', 'settings.output = "score"'),
    *("ready_timeout = 120", "request_timeout = 10"),
)
SERVES = (
    'command = ["{bin}/mlflow", "models", "serve", "-m", "models:/line@champion", "--env-manager", "local", '
    '"-h", "127.0.0.1", "-p", "{port}", "--workers", "1"]'
)

SYSTEMS = (
    System(
        "mlserver",
        "MLServer, a link and load",
        "mlserver",
        (
            *('server = "mlserver"', URL, 'model = "line"', 'path = "versions"', 'pointer = "../models/line"'),
            *('settings.tensor = "x"', 'settings.output = "predict"', "max_seconds = 10"),
        ),
        prepare=("{python}", "{servers}/mlserver_versions.py", "{folder}", "{port}", "{port2}", "{port3}"),
        start=("{bin}/mlserver", "start", "{folder}/models"),
        killed=True,
    ),
    _torchserve("torchserve_registered", "both versions registered", "2.0,1.0", "max_seconds = 5"),
    _torchserve(
        "torchserve_hot",
        "hot redeploy of a model that loads in 6 s, registered with its workers",
        "2.0",
        *REGISTERS,
        *AT_ONCE,
        load_s=6.0,
        finds=(NO_ANSWER, "timed out"),
    ),
    _torchserve("torchserve_apart", "the same, workers started after registering", "2.0", *REGISTERS, load_s=6.0),
    _torchserve("torchserve_killed", "hot redeploy, killed half-way", "2.0", *REGISTERS, killed=True),
    System(
        "mms",
        "Multi Model Server, one archive for another",
        "multi-model-server",
        (
            *('server = "mms"', URL, MANAGEMENT, *NAMED),
            *('previous = "line-1.mar"', "max_seconds = 30", "downtime_seconds = 15"),
        ),
        start=("{python}", "{servers}/mms_versions.py", "{folder}", "{port}", "{port2}"),
        requirements="mms",
        versions=("line-1.mar", "line-2.mar"),
        low_ports=True,
    ),
    System(
        "mlflow",
        "MLflow behind an alias, restarted",
        "mlflow",
        (*MLFLOW, SERVES, "max_seconds = 90", "downtime_seconds = 60"),
        prepare=("{python}", "{servers}/mlflow_versions.py", "{folder}"),
    ),
    System(
        "mlflow_alias",
        "MLflow behind an alias, alias alone",
        "mlflow",
        (*MLFLOW, SERVES, "restart = false", "max_seconds = 10"),
        prepare=("{python}", "{servers}/mlflow_versions.py", "{folder}"),
        requirements="mlflow",
        finds=(STAYS, "the pointer moved, and after"),
    ),
    _triton("triton_loaded", "both versions loaded", "all { }", "max_seconds = 10"),
    _triton("triton_killed", "one version loaded, killed half-way", LATEST, *COLD, killed=True),
    _triton(
        "triton_cold",
        "one version loaded, the other loads in 8 s",
        LATEST,
        *COLD,
        load_s=8.0,
        finds=(NO_ANSWER, "loads a version on one of the threads"),
    ),
)
