"""gRPC's messages: filled from what a template says, read into what places are looked up in.

The published ``.proto`` files of the systems that we speak to are retyped here as far as they are used, and compiled
beside them. Their official stubs would pull in TensorFlow, or an older protobuf; and descriptors in a pool of our own
stand in nobody's way where a team has the official ones loaded in the same process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.serving.answers import NOT_PARSED, Reply
from mltestscore.serving.messages import tensors

OURS = ("open_inference", "tensorflow_serving")
REMEDY = "pip install 'mltestscore[grpc]'"


class Messages:
    """The messages of one protocol's calls.

    Args:
        protocol: whose they are, for messages to the reader.
        given: one of :data:`OURS`, or the path of a compiled descriptor set.
    """

    def __init__(self, protocol: str, given: str) -> None:
        self.where = f"endpoint: the protocol {protocol!r}"
        if not given:
            raise ConfigError(f'{self.where} calls over gRPC and names no messages; write messages = "scorer.binpb".')
        self._pool = _pool(self.where, given)
        self._known: dict[str, tuple[Any, Any]] = {}

    def pack(self, path: str, body: object) -> bytes:
        """Return the request of a call as bytes; raises :class:`InputError` or :class:`ConfigError` where it cannot."""
        message = self._classes(path)[0]()
        if not isinstance(body, Mapping):
            raise ConfigError(f"{self.where}: the body of {path} must be a table of the message's fields.")
        self._fill(message, body)
        return bytes(message.SerializeToString())

    def unpack(self, path: str, reply: Reply) -> Any:
        """Return the fields of an answer that are set, tensors as shape and data.

        :data:`NOT_PARSED` for bytes that are no such message; raises :class:`ValueError` for a tensor that is none.
        """
        from google.protobuf.message import DecodeError

        if reply.status != 200:
            return NOT_PARSED
        try:
            message = self._classes(path)[1].FromString(reply.content)
        except DecodeError:
            return NOT_PARSED
        return read(message)

    def _classes(self, path: str) -> tuple[Any, Any]:
        """Return the classes of a call's request and answer."""
        if path not in self._known:
            from google.protobuf.message_factory import GetMessageClass

            service, _, method = path.removeprefix("/").partition("/")
            try:
                found = self._pool.FindServiceByName(service).methods_by_name[method]
            except KeyError:
                raise ConfigError(f"{self.where}: its messages have no call {path}.") from None
            self._known[path] = GetMessageClass(found.input_type), GetMessageClass(found.output_type)
        return self._known[path]

    def _fill(self, message: Any, body: Mapping[str, Any]) -> None:
        """Set a message's fields by their names."""
        body = tensors.prepared(message, body)
        fields = message.DESCRIPTOR.fields_by_name
        for name, value in body.items():
            if name not in fields:
                kind = message.DESCRIPTOR.full_name
                raise ConfigError(f"{self.where}: the message {kind} has no field {name!r}.{near(name, fields)}")
            try:
                self._set(message, fields[name], value)
            except (AttributeError, KeyError, TypeError, ValueError) as error:  # a value of another type, or shape
                raise InputError(
                    f"{self.where}: the field {name!r} of {message.DESCRIPTOR.full_name} cannot be "
                    f"{str(value)[:80]!r}: {str(error)[:200]}"
                ) from None

    def _set(self, message: Any, field: Any, value: Any) -> None:
        target = getattr(message, field.name)
        if _is_map(target):
            for key, part in value.items():
                if field.message_type.fields_by_name["value"].message_type is None:
                    target[key] = part
                else:
                    self._fill(target[key], part)
        elif _is_repeated(target):
            for part in value if isinstance(value, list) else [value]:
                self._fill(target.add(), part) if field.message_type else target.append(part)
        elif field.message_type is None:
            setattr(message, field.name, int(value) if field.cpp_type in _WHOLE and isinstance(value, str) else value)
        elif isinstance(value, Mapping):
            target.SetInParent()
            self._fill(target, value)
        else:  # a wrapper such as google.protobuf.Int64Value, for a setting that is a text
            target.value = int(value) if target.DESCRIPTOR.fields_by_name["value"].cpp_type in _WHOLE else value


_WHOLE = (1, 2, 3, 4)
"""protobuf's numbers for int32, int64, uint32 and uint64."""


def read(message: Any) -> Any:
    """Return a message's set fields by name; a wrapper as its value, an enumeration by its names."""
    if (known := tensors.read(message)) is not None:
        return known
    kind = message.DESCRIPTOR
    if kind.full_name.startswith("google.protobuf.") and [field.name for field in kind.fields] == ["value"]:
        return message.value
    return {field.name: _value(field, value) for field, value in message.ListFields()}


def _value(field: Any, value: Any) -> Any:
    if _is_map(value):
        return {str(key): _plain(field, part) for key, part in value.items()}
    if _is_repeated(value):
        return [_plain(field, part) for part in value]
    return _plain(field, value)


def _plain(field: Any, value: Any) -> Any:
    if hasattr(value, "DESCRIPTOR"):
        return read(value)
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return named.name if named else int(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _is_map(value: Any) -> bool:
    return hasattr(value, "items") and not hasattr(value, "DESCRIPTOR")  # a message may have a field of that name


def _is_repeated(value: Any) -> bool:
    return hasattr(value, "extend") and not hasattr(value, "DESCRIPTOR")


def _pool(where: str, given: str) -> Any:
    """Return the descriptors of a compiled set."""
    try:
        from google.protobuf.descriptor_pb2 import FileDescriptorSet
        from google.protobuf.descriptor_pool import DescriptorPool
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise InputError(f"{where} needs gRPC, which is not installed ({error}); {REMEDY}") from error
    file = Path(__file__).parent / f"{given}.binpb" if given in OURS else Path(given)
    pool = DescriptorPool()
    try:
        for part in FileDescriptorSet.FromString(file.read_bytes()).file:
            pool.Add(part)
    except OSError as error:
        raise ConfigError(f"{where}: its messages {given!r} cannot be read: {error.strerror}.") from None
    except (DecodeError, TypeError) as error:
        raise ConfigError(
            f"{where}: its messages {given!r} are no compiled descriptor set ({str(error)[:100]}); "
            "write it by protoc --include_imports --descriptor_set_out=scorer.binpb scorer.proto"
        ) from None
    return pool
