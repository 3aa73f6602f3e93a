"""MOJO archives of H2O, scored by H2O's own scorer in a Java process; nothing of the archive is unpacked to disk."""

from __future__ import annotations

import atexit
import csv
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.models.java import java
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, column, flat, in_shape

TASKS = {"Binomial": "binary", "Multinomial": "multiclass", "Regression": "regression"}
ANSWER = 300.0  # seconds for one answer of the Java process
MOST = 20_000  # rows in one question
HEAP = "4g"  # what H2O's own mojo_predict_csv gives to the same scorer
LARGEST = 4 * 2**30  # bytes of an archive when unpacked: more does not fit into that memory
MEMBERS = 200_000  # two a tree
LARGEST_MEMBER = 256 * 2**20  # bytes of what is read here: model.ini, which holds a network's weights, and each tree
MISSING = "nan"  # H2O's client for Python uploads a missing text as this text
NO_LEVELS = frozenset({"NA", "N/A", "-"})  # H2O's scorer reads and writes these as missing
WEIGHTS = re.compile(r"^(beta\w*|init_f|(?:weight|bias)_layer\d+|norm_\w+|num_means) = (.*)$", re.MULTILINE)
TREE = re.compile(r"(.*/)?trees/t\d+_\d+\.bin")
PRE_ORDER = 1.2  # the version of the archive from which trees are packed as :func:`_leaves` reads them
LEAF = 0xFFFF  # in the place of a column's number


@dataclass(frozen=True)
class _Levels:
    """How the levels of a categorical column are written.

    Attributes:
        fractions: whether 1.0 is called so, since it was the text in a file; 1 where the level was made of a number.
        missing: the level of missing values; empty where they have none.
        lost: levels that H2O's scorer reads as missing.
    """

    fractions: bool
    missing: str
    lost: frozenset[str]


@dataclass(frozen=True)
class _Scorer:
    """A model in the Java process.

    Attributes:
        gateway, process: that hold it; after their end, others may give its number to another model.
        native: the model there.
        columns: the features in order, the categorical ones with how their levels are written.
        width: of its scores: 1 or the number of classes.
    """

    gateway: Any
    process: Any
    native: Any
    columns: Mapping[str, _Levels | None]
    width: int


def read(file: Path, loading: Loading) -> NativeModel:
    """Read an archive.

    Raises :class:`InputError` for one that is too large, without Java, and for models that neither classify nor predict
    a number, or ask for an offset.
    """
    _require_bounded(file)
    gateway, process = _process()
    native = gateway.jvm.hex.genmodel.MojoModel.load(str(file.resolve()))
    category = str(native.getModelCategory())
    if category not in TASKS:
        raise InputError(
            f"{file} is a model of the category {category!r}; the checks judge {', '.join(TASKS)}: {A_LOADER}."
        )
    if native.getOffsetName() is not None:
        raise InputError(f"{file} asks for an offset beside the features, which the checks do not offer; {A_LOADER}.")
    columns = _columns(native)
    response = [] if category == "Regression" else list(native.getDomainValues(native.getResponseIdx()))
    return NativeModel(
        native=native,
        score=partial(_score, _Scorer(gateway, process, native, columns, max(len(response), 1))),
        numbers=partial(_numbers, file),
        task=TASKS[category],
        feature_names_in_=tuple(columns),
        n_features_in_=len(columns),
        classes_=_classes(response) or None,
        version=str(native.getUUID()),
    )


def _require_bounded(file: Path) -> None:
    with ZipFile(file) as archive:
        held = archive.infolist()
    size = sum(member.file_size for member in held)
    if size > LARGEST or len(held) > MEMBERS:
        raise InputError(
            f"{file} unpacks to {len(held)} members of {size} bytes; at most {MEMBERS} members and {LARGEST} bytes are "
            f"read. Is it a MOJO? If so, {A_LOADER}."
        )


@cache
def _process() -> tuple[Any, Any]:
    """Start the Java process once, and return it with what talks to it; only who holds its token can.

    It ends with this process.
    """
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

    found = find_spec("h2o")
    folders = (found and found.submodule_search_locations) or ()
    jar = next((one for one in (Path(folder) / "backend/bin/h2o.jar" for folder in folders) if one.is_file()), None)
    if jar is None:
        raise InputError("h2o is installed without its h2o.jar, which scores a MOJO; install mltestscore[h2o] anew.")
    port, token, process = launch_gateway(
        classpath=str(jar),
        javaopts=[f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", "-Djava.awt.headless=true"],
        java_path=java("H2O MOJO"),
        die_on_exit=True,
        enable_auth=True,
        return_proc=True,
    )
    atexit.register(end)
    return JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token, read_timeout=ANSWER)), process


def end() -> None:
    """End the Java process; the models in it are gone."""
    if _process.cache_info().currsize:
        gateway, process = _process()
        _process.cache_clear()
        gateway.close()
        gateway._gateway_client.is_connected = False  # what is collected later asks nothing of it
        process.kill()
        process.communicate()


def _columns(native: Any) -> dict[str, _Levels | None]:
    """Return the features in order, the categorical ones with how their levels are written."""
    encoded = native.getOrigNames()
    names = native.getNames() if encoded is None else encoded
    domains = native.getDomainValues() if encoded is None else native.getOrigDomainValues()
    count = native.nfeatures() if encoded is None else len(names)
    taken = [place for place in range(count) if names[place] != native.getResponseName()]
    return {str(names[place]): _levels(domains[place]) for place in taken}


def _levels(domain: Any) -> _Levels | None:
    if domain is None:
        return None
    held = frozenset(map(str, domain))
    fractions = any(re.fullmatch(r"-?\d+\.0", level) for level in held)
    return _Levels(fractions, MISSING if MISSING in held else "", held & NO_LEVELS)


def _classes(response: Sequence[str]) -> tuple[object, ...]:
    """H2O keeps classes as texts, those of numbers too."""
    whole = all(re.fullmatch(r"0|-?[1-9]\d{0,17}", value) for value in response)
    return tuple(int(value) if whole else value for value in response)


def _score(scorer: _Scorer, frame: pd.DataFrame, task: str) -> npt.NDArray[np.float64]:
    cells = [_texts(frame[name], scorer.columns[name]) for name in frame.columns]
    rows = list(zip(*cells, strict=True))
    scores: list[list[float]] = []
    with TemporaryDirectory(prefix="mltestscore-mojo-") as folder:
        for start in range(0, len(rows), MOST):
            scores += _answer(scorer, Path(folder), rows[start : start + MOST])
    return in_shape(np.array(scores, dtype=np.float64).reshape(len(frame), scorer.width), task)


def _answer(scorer: _Scorer, folder: Path, rows: Sequence[tuple[str, ...]]) -> list[list[float]]:
    from py4j.protocol import Py4JError, Py4JNetworkError

    asked, answered = folder / "rows.csv", folder / "scores.csv"
    with asked.open("w", encoding="utf-8", newline="") as stream:
        # As H2O's reader wants it: everything in quotes, a backslash escapes.
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\", lineterminator="\n")
        writer.writerow(scorer.columns)
        writer.writerows(rows)
    words = ["--embedded", "--input", str(asked), "--output", str(answered), "--decimal"]
    try:
        java_words = scorer.gateway.new_array(scorer.gateway.jvm.java.lang.String, len(words))
        for place, word in enumerate(words):
            java_words[place] = word
        scorer.gateway.jvm.hex.genmodel.tools.PredictCsv.make(java_words, scorer.native).run()
    except Py4JError as error:
        if scorer.process.poll() is None and not isinstance(error, Py4JNetworkError):
            raise
        if _process.cache_info().currsize and scorer.process is _process()[1]:
            end()
        raise InputError(
            f"the Java process of H2O's scorer is gone, or gave no answer in {ANSWER:g} s and was ended; load the "
            "model again, and give the machine more memory if it ran out of it."
        ) from error
    lines = answered.read_text(encoding="utf-8").splitlines()[1:]
    if len(lines) != len(rows):
        raise InputError(f"H2O's scorer gave {len(lines)} lines for {len(rows)} rows; {A_LOADER}.")
    width = scorer.width
    cells = [line.rsplit(",", width)[-width:] for line in lines]  # a label, which comes first, may hold commas
    return [[np.nan if cell in NO_LEVELS else float(cell) for cell in row] for row in cells]


def _texts(values: pd.Series[Any], levels: _Levels | None) -> list[str]:
    """Return the cells as H2O's scorer reads them.

    Raises :class:`InputError` for texts where the model takes numbers, and for a level that the scorer cannot be told.
    """
    missing = values.isna()
    if levels is None:
        numbers = column(values, np.float64).tolist()
        found = [repr(cell).replace("inf", "Infinity") for cell in numbers]
    else:
        found = [_level(cell, levels.fractions) for cell in values.astype(object)]
        if lost := sorted(levels.lost.intersection(found)):
            raise InputError(
                f"{values.name!r} holds {lost[0]!r}, which is a level of the model, but H2O's scorer of a MOJO reads "
                f"it as missing; {A_LOADER}, or train with another name of that level."
            )
    gone = "" if levels is None else levels.missing
    return [gone if absent else cell for cell, absent in zip(found, missing, strict=True)]


def _level(cell: object, fractions: bool) -> str:
    return str(int(cell)) if isinstance(cell, float) and not fractions and cell.is_integer() else str(cell)


def _numbers(file: Path) -> Numbers:
    """Yield the weights in ``model.ini`` and the leaf values of the trees."""
    with ZipFile(file) as archive:
        text = _member(archive, "model.ini").decode("utf-8", "replace")
        for name, value in WEIGHTS.findall(text):
            if value != "null":
                yield name, flat(value.strip("[]").replace(",", " ").split())
        written = re.search(r"^mojo_version = ([\d.]+)$", text, re.MULTILINE)
        if written is None or float(written[1]) < PRE_ORDER:
            return
        order = ">" if re.search(r"^endianness = BIG_ENDIAN$", text, re.MULTILINE) else "<"
        for member in archive.infolist():
            if TREE.fullmatch(member.filename):
                try:
                    leaves = list(_leaves(_member(archive, member.filename), order))
                except (struct.error, IndexError):
                    raise InputError(f"{file}: {member.filename} is no tree as H2O writes them.") from None
                yield f"leaf values of {member.filename}", flat(leaves)


def _member(archive: ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(LARGEST_MEMBER)


def _leaves(tree: bytes, order: str) -> Iterator[float]:
    """Yield the leaf values of one tree, which H2O writes in pre-order (``SharedTreeMojoModel.scoreTree``)."""
    short, word, real = (struct.Struct(order + kind) for kind in "HIf")
    place, pending = 0, [0]  # how a node to come is written: 48 and 16 mark a bare leaf
    while pending:
        kind = pending.pop()
        if kind & 16:
            yield real.unpack_from(tree, place)[0]
            place += 4
            continue
        head, split = tree[place], short.unpack_from(tree, place + 1)[0]
        if split == LEAF:
            yield real.unpack_from(tree, place + 3)[0]
            place += 7
            continue
        place += 4
        if tree[place - 1] != 1:  # unless missing goes one way, and all else the other
            if head & 12 == 12:
                place += 6 + (word.unpack_from(tree, place + 2)[0] + 7) // 8
            else:
                place += 4  # a threshold, or a set of up to 32 levels
        left = head & 51
        if left <= 3:
            place += left + 1  # the size of the left side
        pending += [(head & 0xC0) >> 2, left]
