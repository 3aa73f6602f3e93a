#!/usr/bin/env bash
# Install what the tests need and run them: `bash tests/run.sh [pytest arguments]`. Needs Python 3.11 to 3.13.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${MLTESTSCORE_TEST_VENV:-.venv-test}
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
wanted=$(pwd; cksum pyproject.toml mltestscore/__init__.py)
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then # pip builds the package even where it changes nothing
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[test]'
    echo "$wanted" >"$venv/installed"
fi
bash tests/install_debian.sh
if [ $# -eq 0 ]; then
    set -- -n 2 --dist loadfile -m 'not slow and not alone'
    export OMP_NUM_THREADS=1 # for each of the two workers
fi
exec "$venv/bin/python" -m pytest "$@"
