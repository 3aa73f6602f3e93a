"""Exported programs of PyTorch in files: only by permission, since reading one can run code."""

from __future__ import annotations

from pathlib import Path

from mltestscore.errors import InputError
from mltestscore.inputs.models.native import Loading, NativeModel
from mltestscore.inputs.models.torch import of_program


def read(file: Path, loading: Loading) -> NativeModel:
    """Read a program that ``torch.export.save`` wrote.

    Raises :class:`InputError` without permission: PyTorch unpickles parts of such a file, and evaluates the
    expressions for its sizes as Python (``torch._export.serde``, 2.13).
    """
    if not loading.allow_pickle:
        raise InputError(
            f"{file} is an exported program of PyTorch, and reading one can run code of the file. Save weights and "
            "name a factory, or export to ONNX; if you trust whoever wrote it, set allow_pickle = true under "
            f"{loading.table}."
        )
    import torch

    return of_program(torch.export.load(file))
