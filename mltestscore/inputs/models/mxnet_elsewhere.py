"""Reads a network of MXNet: ``NAME-symbol.json`` and the newest ``NAME-NNNN.params`` beside it, as it exports them.

It runs in the environment that has MXNet, beside ``elsewhere_process.py``, and imports nothing of ours.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SUFFIX = "-symbol.json"


class Network:
    """A network's first output, a row each; what is left open at the end of a training graph, its labels, is 0."""

    def __init__(self, symbol: Any, parameters: dict[str, Any]) -> None:
        import mxnet

        self._nd, self._cpu, self._symbol = mxnet.nd, mxnet.cpu(), symbol
        self._given = {kind: _of_kind(parameters, kind) for kind in ("arg", "aux")}
        open_ends = [name for name in symbol.list_arguments() if name not in self._given["arg"]]
        data = [name for name in open_ends if not name.endswith("label")]
        self._labels = [name for name in open_ends if name.endswith("label")]
        if len(data) != 1:
            sys.exit(f"the network takes {len(data)} inputs ({', '.join(data)[:200]}); one of all columns is read")
        self._data = data[0]

    def __call__(self, frame: Any) -> Any:
        """Return the first output for the rows of a frame of numbers."""
        rows = self._nd.array(frame.to_numpy(dtype="float32"), ctx=self._cpu)
        labels = {name: self._nd.zeros((len(frame),)) for name in self._labels}
        given = {**self._given["arg"], self._data: rows, **labels}
        bound = self._symbol.bind(self._cpu, given, aux_states=self._given["aux"], grad_req="null")
        return bound.forward(is_train=False)[0].asnumpy()


def _of_kind(parameters: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the parameters that ``export`` calls ``arg:NAME`` or ``aux:NAME``."""
    return {name.partition(":")[2]: value for name, value in parameters.items() if name.startswith(f"{kind}:")}


def load(path: str) -> Network:
    """Return the network of a symbol's file."""
    import mxnet

    file = Path(path)
    weights = newest(file)
    if not weights:
        sys.exit(f"there is no {file.name.removesuffix(SUFFIX)}-0000.params or a later one beside {file.name}")
    return Network(mxnet.sym.load(str(file)), mxnet.nd.load(str(weights[-1])))


def newest(file: Path) -> list[Path]:
    """Return the file of weights that belongs to a symbol's file; none where it is no such file."""
    name = file.name.removesuffix(SUFFIX)
    if name == file.name:
        return []
    return sorted(one for one in file.parent.glob("*.params") if one.name.rpartition("-")[0] == name)[-1:]
