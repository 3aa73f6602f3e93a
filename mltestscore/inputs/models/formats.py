"""Which library wrote a model's file: its content says so, its name only where the content is broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from mltestscore import telemetry
from mltestscore.errors import InputError, MltestscoreError
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, brief

HEAD = 4096
MXNET = "MXNet"
PFA = "PFA"


@dataclass(frozen=True)
class Head:
    """The first bytes of a file, and the names in it if it is a zip archive."""

    start: bytes
    members: tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        name: for the reader.
        matches: whether the content is of this kind.
        suffixes: of files that are called so.
        module: in this package, with ``read(file, loading)``; empty where we cannot read it.
        package: the module that must be installed to read it.
        extra: of ours that installs it.
        why: it is not read here, where it is not.
    """

    name: str
    matches: Callable[[Head], bool]
    suffixes: tuple[str, ...] = ()
    module: str = ""
    package: str = ""
    extra: str = ""
    why: str = ""


def _pattern(pattern: bytes) -> Callable[[Head], bool]:
    return lambda head: re.match(pattern, head.start, re.DOTALL) is not None


def _member(*endings: str) -> Callable[[Head], bool]:
    return lambda head: all(any(ending in name for name in head.members) for ending in endings)


# Protobuf has no magic number: field 1 (ir_version, small), then the tag of another field of ModelProto.
_MODEL_PROTO = rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42\x72]"

_XGBOOST = rb'\s*\{\s*"(learner|version)"\s*:|\{[Li\[].{0,8}learner\{'
_CATBOOST = rb'CBM1|\s*\{\s*"(ctr_data|features_info|model_info|oblivious_trees|scale_and_bias|trees)"\s*:'
_OLD_TORCH = rb"\x80.\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19\."  # a pickle of PyTorch's magic number
_SAFETENSORS = rb'.{4}\x00{4}\{["}\s]'  # the length of the header, then the header

_PFA = rb'\s*\{(?=.*"input"\s*:)(?=.*"output"\s*:)(?=.*"action"\s*:)'
_NO_PFA = (
    "its only reader for Python, titus2, imports on Python up to 3.9 and with NumPy below 1.20; write python = the "
    "interpreter of an environment with titus2, pandas<1.5 and pyarrow<11, and it is read there; as titus2 makes "
    "Python code of the document, also allow_pickle = true, if you trust the file"
)
_MXNET = rb'\s*\{\s*"nodes"\s*:\s*\[\s*\{\s*"op"\s*:'
_NO_MXNET = (
    "its last release, MXNet 1.9.1, takes no NumPy from 1.24 on; write python = the interpreter of an environment with "
    "mxnet, numpy<1.24, pandas and pyarrow, and it is read there, with the newest …-NNNN.params beside it"
)
_PMML = rb"(\xef\xbb\xbf)?\s*(?=<).*?<(\w{1,20}:)?PMML[\s>]"  # without repetitions inside of repetitions

FORMATS = (
    Format("ONNX", _pattern(_MODEL_PROTO), (".onnx",), "onnx", "onnxruntime", "onnx"),
    Format("XGBoost", _pattern(_XGBOOST), (".ubj", ".json"), "xgboost", "xgboost", "xgboost"),
    Format("CatBoost", _pattern(_CATBOOST), (".cbm",), "catboost", "catboost", "catboost"),
    Format(
        "exported program of PyTorch",
        _member("/archive_format", "/models/"),
        (".pt2",),
        "torch_export",
        "torch",
        "torch",
    ),
    Format("PMML", _pattern(_PMML), (".pmml",), "pmml", "pypmml", "pmml"),
    Format("H2O MOJO", lambda head: "model.ini" in head.members, (".mojo",), "mojo", "h2o", "h2o"),
    Format(MXNET, _pattern(_MXNET), why=_NO_MXNET),
    Format(PFA, _pattern(_PFA), (".pfa",), why=_NO_PFA),
    Format("TorchScript", _member("/code/", "/constants.pkl")),
    Format("PyTorch weights", _member("/data.pkl"), (".pt", ".pth"), "torch", "torch", "torch"),
    Format("PyTorch weights", _pattern(_OLD_TORCH), (), "torch", "torch", "torch"),
    Format("safetensors", _pattern(_SAFETENSORS), (".safetensors",), "torch", "safetensors.torch", "torch"),
    Format("LightGBM", _pattern(rb"tree\r?\n(version=|num_class=)"), (".txt",), "lightgbm", "lightgbm", "lightgbm"),
)


def recognised(file: Path) -> Format | None:
    """Return the format of ``file``, or ``None`` for one of no library here.

    Raises :class:`OSError` when it cannot be read.
    """
    head = _head(file)
    for form in FORMATS:
        if form.matches(head):
            return form
    return next((form for form in FORMATS if file.suffix.lower() in form.suffixes), None)


def read(file: Path, form: Format, loading: Loading) -> NativeModel:
    """Read a model's file with its library.

    Raises :class:`InputError` where the library is not installed, the file is broken or its scores have no meaning
    here; :class:`ConfigError` where the configuration does not fit.
    """
    if not form.module:
        why = f" ({form.why})" if form.why else ""
        raise InputError(
            f"{loading.table} path: {file} is a {form.name} file, which is not read here{why}; {A_LOADER}."
        )
    telemetry.off()
    try:
        import_module(form.package)
    except ImportError as error:
        raise InputError(
            f"{loading.table} path: {file} is a {form.name} file, but {form.package} cannot be imported ({error}); "
            f"install mltestscore[{form.extra}]."
        ) from error
    try:
        found: NativeModel = import_module(f"{__package__}.{form.module}").read(file, loading)
    except MltestscoreError:
        raise
    except Exception as error:
        raise InputError(
            f"{loading.table} path: {file} does not load as {form.name}: {brief(error)} "
            "Is it complete, and written with the versions that are installed here?"
        ) from error
    return found


def _head(file: Path) -> Head:
    with file.open("rb") as stream:
        start = stream.read(HEAD)
    if start[:4] != b"PK\x03\x04":
        return Head(start, ())
    try:
        with ZipFile(file) as archive:
            held = archive.infolist()
    except (BadZipFile, NotImplementedError):
        return Head(start, ())
    # Where the end is lost, zipfile finds an archive that lies inside this one.
    whole = min((member.header_offset for member in held), default=0) == 0
    return Head(start, tuple(member.filename for member in held) if whole else ())
