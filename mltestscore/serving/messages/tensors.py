"""Tensors in the messages of the Open Inference Protocol and of TensorFlow: to and from shape and flat data."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from mltestscore.errors import ConfigError, InputError, near

MOST_VALUES = 1 << 23
"""Of one tensor: TensorFlow may write one value for a whole shape, however large."""

KINDS = {
    "FP64": ("<f8", "fp64_contents", "DT_DOUBLE", "double_val"),
    "FP32": ("<f4", "fp32_contents", "DT_FLOAT", "float_val"),
    "FP16": ("<f2", "", "DT_HALF", "half_val"),
    "BF16": ("<u2", "", "DT_BFLOAT16", "half_val"),
    "INT64": ("<i8", "int64_contents", "DT_INT64", "int64_val"),
    "INT32": ("<i4", "int_contents", "DT_INT32", "int_val"),
    "INT16": ("<i2", "int_contents", "DT_INT16", "int_val"),
    "INT8": ("i1", "int_contents", "DT_INT8", "int_val"),
    "UINT64": ("<u8", "uint64_contents", "DT_UINT64", "uint64_val"),
    "UINT32": ("<u4", "uint_contents", "DT_UINT32", "uint32_val"),
    "UINT16": ("<u2", "uint_contents", "DT_UINT16", "int_val"),
    "UINT8": ("u1", "uint_contents", "DT_UINT8", "int_val"),
    "BOOL": ("?", "bool_contents", "DT_BOOL", "bool_val"),
    "BYTES": ("", "bytes_contents", "DT_STRING", "string_val"),
}
"""Datatype → NumPy's, the field of the Open Inference Protocol, TensorFlow's name and field."""

TENSORFLOW = {names[2]: kind for kind, names in KINDS.items()}


def prepared(message: Any, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of a message with tensors (``datatype``, ``shape``, ``data``) in the message's own fields."""
    name = message.DESCRIPTOR.full_name
    if name == "tensorflow.TensorProto" and "data" in body:
        kind, values = _typed(body)
        content = {"string_val": values} if kind == "BYTES" else {"tensor_content": _raw(values, kind)}
        dtype = message.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_name[KINDS[kind][2]].number
        return {"dtype": dtype, "tensor_shape": {"dim": [{"size": size} for size in body["shape"]]}, **content}
    if name == "inference.ModelInferRequest" and "raw_input_contents" not in body:
        inputs = [(part, *_typed(part)) for part in body.get("inputs", ())]
        raw = any(not KINDS[kind][1] for _, kind, _ in inputs)  # 16-bit numbers have no field of their own
        sent = [
            {key: part[key] for key in ("name", "shape")}
            | {"datatype": kind}
            | ({} if raw else {"contents": {KINDS[kind][1]: values if kind == "BYTES" else values.tolist()}})
            for part, kind, values in inputs
        ]
        contents = {"raw_input_contents": [_raw(values, kind) for _, kind, values in inputs]} if raw else {}
        return {**body, "inputs": sent, **contents}
    return body


def _typed(tensor: Mapping[str, Any]) -> tuple[str, Any]:
    """Return a tensor's datatype and its values in that type.

    Raises :class:`InputError` for a value that the type cannot hold: what is sent is what the row has, or nothing is.
    """
    kind, name = TENSORFLOW.get(tensor["datatype"], tensor["datatype"]), tensor.get("name", "")
    if kind not in KINDS:
        raise ConfigError(f"endpoint: there is no datatype {kind!r}.{near(kind, [*KINDS, *TENSORFLOW])}")
    values, where = tensor["data"], f"endpoint: the values of {name!r} cannot be sent as {kind}"
    if any(value is None for value in values) and kind not in ("FP64", "FP32", "FP16", "BF16"):
        row = next(index for index, value in enumerate(values) if value is None)
        raise InputError(
            f"{where}: row {row} has none, and only tensors of FP32 and FP64 have a missing value (NaN). "
            "Send rows without gaps, or name the text that stands for a missing one by the setting missing_text."
        )
    if kind == "BYTES":
        return kind, [str(value).encode() for value in values]
    if any(isinstance(value, str) for value in values):
        raise InputError(
            f"{where}: {next(value for value in values if isinstance(value, str))[:50]!r} is text. One tensor holds "
            "values of one type; without the setting tensor each feature is one of its own."
        )
    try:
        if kind in ("FP64", "FP32", "FP16", "BF16"):
            width = "<f4" if kind == "BF16" else KINDS[kind][0]
            return kind, np.array([np.nan if value is None else value for value in values]).astype(width)
        exact = np.array(values, dtype=KINDS[kind][0])
    except (OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{where}: {str(error)[:100]}") from None
    for row, (sent, value) in enumerate(zip(exact.tolist(), values, strict=True)):
        if sent != value:
            raise InputError(f"{where}: row {row} has {value!r:.50}.")
    return kind, exact


def _raw(values: Any, kind: str) -> bytes:
    """Return values as bytes: row-major, little-endian, texts with their lengths before them."""
    if kind == "BYTES":
        return b"".join(struct.pack("<I", len(value)) + value for value in values)
    if kind == "BF16":
        return bytes((values.view("<u4") >> 16).astype("<u2").tobytes())
    return bytes(values.tobytes())


def read(message: Any) -> Any:
    """Return a message that is or holds tensors as ``shape`` and ``data``; ``None`` for any other.

    Raises :class:`ValueError` where shape and values do not fit.
    """
    readers: dict[str, Callable[[Any], Any]] = {
        "inference.ModelInferResponse": _open_inference,
        "tensorflow.TensorProto": _tensorflow,
    }
    reader = readers.get(message.DESCRIPTOR.full_name)
    return reader(message) if reader else None


def _open_inference(message: Any) -> dict[str, Any]:
    raw = list(message.raw_output_contents)
    if raw and len(raw) != len(message.outputs):
        raise ValueError(f"expected the raw contents of {len(message.outputs)} outputs, found {len(raw)}")
    outputs = []
    for index, output in enumerate(message.outputs):
        kind = _known(output.datatype)
        if raw:
            data = _values(raw[index], kind)
        elif KINDS[kind][1]:
            data = list(getattr(output.contents, KINDS[kind][1]))
        else:
            raise ValueError(f"expected raw contents for an output of {kind}, found none")
        outputs.append({"name": output.name, "datatype": kind, "shape": list(output.shape), "data": _texts(data)})
    named = {"model_name": message.model_name, "model_version": message.model_version, "id": message.id}
    return {**{key: value for key, value in named.items() if value}, "outputs": outputs}


def _tensorflow(message: Any) -> dict[str, Any]:
    dtype = message.DESCRIPTOR.fields_by_name["dtype"].enum_type.values_by_number.get(message.dtype)
    kind = _known(TENSORFLOW.get(dtype.name if dtype else "", str(message.dtype)))
    shape = [dim.size for dim in message.tensor_shape.dim]
    size = prod(shape)
    if message.tensor_shape.unknown_rank or min(shape, default=1) < 0 or size > MOST_VALUES:
        raise ValueError(f"expected a shape of at most {MOST_VALUES} values, found {str(shape)[:100]}")
    if message.tensor_content:
        return {"shape": shape, "data": _values(message.tensor_content, kind)}
    held = list(getattr(message, KINDS[kind][3]))
    if kind in ("FP16", "BF16"):
        held = _values(np.array(held, dtype="<u2").tobytes(), kind)
    if len(held) < size:  # as TensorFlow has it: the last value stands for the rest, none at all for zeros
        held += [held[-1] if held else (b"" if kind == "BYTES" else 0)] * (size - len(held))
    return {"shape": shape, "data": _texts(held)}


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"expected a tensor of {', '.join(KINDS)}, found {kind[:50]!r}")
    return kind


def _values(content: bytes, kind: str) -> list[Any]:
    """Return the values in raw bytes."""
    if kind == "BYTES":
        found, start = [], 0
        while start + 4 <= len(content):
            (length,) = struct.unpack_from("<I", content, start)
            found.append(content[start + 4 : start + 4 + length])
            start += 4 + length
        if start != len(content):
            raise ValueError("expected texts with their lengths, found the raw contents cut off")
        return _texts(found)
    width = np.dtype(KINDS[kind][0]).itemsize
    if len(content) % width:
        raise ValueError(f"expected raw contents of {width} bytes a value, found {len(content)} bytes")
    numbers = np.frombuffer(content, dtype=KINDS[kind][0])
    if kind == "BF16":
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    values: list[Any] = numbers.tolist()
    return values


def _texts(values: Sequence[Any]) -> list[Any]:
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
