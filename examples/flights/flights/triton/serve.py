"""Serves by Triton: ``python -m flights.triton.serve --port 8000 --version v2``, or what the registry points to."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import NoReturn

from flights import spec, switches
from flights.triton import MODEL, VARIABLE, number, place

# Requests that wait are scored together, as far as they are there: nobody waits for more of them.
CONFIG = """
backend: "python"
max_batch_size: 4096
dynamic_batching { }
input [INPUTS]
output [{ name: "score" data_type: TYPE_FP64 dims: [1] }]
version_policy: { specific { versions: [VERSION] } }
"""
EXIT_SECONDS = 2


def serve(registry: Path, version: str, port: int, environment: Path) -> NoReturn:
    """Serve ``version`` of a registry until stopped; all others lie ready to be loaded. Ends this process."""
    environment = environment.absolute()
    with tempfile.TemporaryDirectory(prefix="flights-triton-") as folder:
        models = repository(Path(folder), registry.resolve(), version)
        server = subprocess.Popen(command(environment, models, port), env=variables(environment))
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses Ctrl-C tells the server, too
        status = server.wait()
    sys.exit(status)


def repository(folder: Path, registry: Path, version: str) -> Path:
    """Lay out a model repository: a folder a version of the registry, and which of them is to be loaded."""
    for one in registry.glob("v*"):
        target = folder / MODEL / str(number(one.name))
        target.mkdir(parents=True)
        (target / "model.py").symlink_to(Path(__file__).with_name("model.py"))
        (target / "model.skops").symlink_to(one / "model.skops")
    inputs = (
        f'{{ name: "{name}" data_type: {"TYPE_STRING" if name in spec.CATEGORICAL else "TYPE_FP64"} dims: [1] }}'
        for name in spec.FEATURES
    )
    text = CONFIG.replace("INPUTS", ", ".join(inputs)).replace("VERSION", str(number(version)))
    (folder / MODEL / "config.pbtxt").write_text(text, encoding="utf-8")
    return folder


def command(environment: Path, models: Path, port: int) -> list[str]:
    """Return what starts Triton on the local machine, with models loaded on demand and HTTP alone."""
    from flights.triton.install import packages

    return [
        str(packages(environment) / "pytriton" / "tritonserver" / "bin" / "tritonserver"),
        f"--model-repository={models}",
        f"--backend-directory={environment / 'backends'}",
        "--model-control-mode=explicit",
        f"--load-model={MODEL}",
        "--disable-auto-complete-config",  # or each model would be loaded twice
        "--http-address=127.0.0.1",
        f"--http-port={port}",
        "--allow-grpc=false",
        "--allow-metrics=false",
        f"--exit-timeout-secs={EXIT_SECONDS}",
    ]


def variables(environment: Path) -> dict[str, str]:
    """Return the variables by which Triton finds its libraries and Python those of the model."""
    from flights.triton.install import packages

    ours = packages(environment)
    return os.environ | {
        "PATH": f"{environment / 'bin'}:{os.environ.get('PATH', '')}",
        "LD_LIBRARY_PATH": f"{ours / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}",
        "PYTHONPATH": f"{ours}:{spec.HOME}",
        "OMP_NUM_THREADS": "1",  # as in flights.serve
    }


def main() -> None:
    """Serve a version until stopped."""
    parser = argparse.ArgumentParser(description="Serve a version of the flight-delay model by Triton.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--version", help="a version in the registry; default: the one that it points to")
    parser.add_argument("--registry", type=Path, default=spec.HOME / "build" / "registry")
    parser.add_argument("--environment", type=Path, default=place(), help=f"Triton's; default: ${VARIABLE}")
    parser.add_argument("--break", dest="item", default="", help=f"like {switches.VARIABLE}, where that is lost")
    options = parser.parse_args()
    if options.item:
        os.environ[switches.VARIABLE] = options.item
    if not (options.environment / "requirements.txt").is_file():
        raise SystemExit(f"there is no Triton in {options.environment}: python -m flights.triton.install")
    version = options.version or (options.registry / "current").read_text(encoding="utf-8").strip()
    serve(options.registry, version, options.port, options.environment)


if __name__ == "__main__":
    main()
