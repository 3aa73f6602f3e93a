"""Triton in an environment of its own: ``python -m flights.triton.install``, half a gigabyte from the package index.

The server is the one inside NVIDIA's package for Python, without the Python around it. scikit-learn and skops are those
that the model was trained with; numpy is not: Triton's Python backend was built for numpy 1.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from flights.build import ensure
from flights.triton import VARIABLE, place

SERVER = "nvidia-pytriton==0.7.0"  # Triton 2.51
NUMPY = "numpy==1.26.4"
AS_TRAINED = ("scikit-learn", "skops")
LOCK = "requirements.txt"
PYTHONS = ((3, 11), (3, 12))  # that scikit-learn and numpy 1 are both made for


def main() -> None:
    """Install what is not there yet."""
    if sys.platform != "linux" or sys.version_info[:2] not in PYTHONS:
        raise SystemExit("Triton needs Linux here, and Python 3.11 or 3.12: others have no numpy 1 for its backend")
    target, lock = place(), _lock(ensure())
    if (target / LOCK).is_file() and (target / LOCK).read_text(encoding="utf-8") == lock:
        print(f"{target} is up to date")
        return
    if target.exists() and not (target / "pyvenv.cfg").is_file():
        raise SystemExit(f"{target} is no environment of Python; ${VARIABLE} names where Triton may be installed")
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
    pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *(line for line in lock.split() if line != SERVER)], check=True)
    subprocess.run([*pip, "--no-deps", SERVER], check=True)  # its Python packages serve nobody here
    _backend(target)
    (target / LOCK).write_text(lock, encoding="utf-8")  # last, so that it says that all is there
    print(f"{target} holds {', '.join(lock.split())}")


def packages(environment: Path) -> Path:
    """Return where the packages of an environment lie."""
    return next((environment / "lib").glob("python3.*/site-packages"))


def _lock(build: Path) -> str:
    trained = (build / "requirements.txt").read_text(encoding="utf-8").split()
    return "\n".join([SERVER, NUMPY, *(line for line in trained if line.partition("==")[0] in AS_TRAINED)]) + "\n"


def _backend(environment: Path) -> None:
    """Put Triton's Python backend together with what runs this version of Python in it."""
    tritonserver = packages(environment) / "pytriton" / "tritonserver"
    backend = environment / "backends" / "python"
    shutil.copytree(tritonserver / "backends" / "python", backend)
    shutil.copy(
        tritonserver / "python_backend_stubs" / "{}.{}".format(*sys.version_info) / "triton_python_backend_stub",
        backend,
    )


if __name__ == "__main__":
    main()
