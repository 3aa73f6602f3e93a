"""The compiled messages are those of the ``.proto`` files beside them."""

import subprocess
import sys
from pathlib import Path

import pytest

from mltestscore.errors import InputError
from mltestscore.serving import messages
from mltestscore.serving.answers import Reply

FOLDER = Path(messages.__file__).parent


@pytest.mark.parametrize("name", messages.OURS)
def test_messages_are_compiled_from_the_files_beside_them(name, tmp_path):
    pytest.importorskip("grpc_tools", reason="pip install grpcio-tools")
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    words = [
        "-m",
        "grpc_tools.protoc",
        "-I.",
        "--include_imports",
        f"--descriptor_set_out={tmp_path}/new",
        f"{name}.proto",
    ]
    subprocess.run([sys.executable, *words], cwd=FOLDER, check=True, timeout=60)
    new, kept = (
        FileDescriptorSet.FromString(file.read_bytes()) for file in (tmp_path / "new", FOLDER / f"{name}.binpb")
    )
    assert new == kept


def test_fields_of_any_name_and_kind_are_filled_and_read(tmp_path):
    """A message may have fields called as a list's or a table's methods are."""
    path, coder = "/acme.Scorer/Score", messages.Messages("ours", str(_compiled(tmp_path)))
    body = {"items": [{"extend": "a", "values": [1.5]}, {"extend": "b"}], "named": {"x": 2.0}, "kind": "BIG"}
    content = coder.pack(path, body)
    assert coder.unpack(path, Reply(200, content)) == body


@pytest.mark.parametrize(
    "body", [{"named": [1.0]}, {"items": "text"}, {"items": [1]}, {"kind": "HUGE"}, {"items": [{"values": ["x"]}]}]
)
def test_value_of_another_kind_is_an_error_that_names_the_field(body, tmp_path):
    coder = messages.Messages("ours", str(_compiled(tmp_path)))
    with pytest.raises(InputError, match=f"the field '({next(iter(body))}|values)' of acme"):
        coder.pack("/acme.Scorer/Score", body)


def _compiled(folder: Path) -> Path:
    """Return a service of a team's own, whose answer is its request."""
    from google.protobuf import text_format
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    text = """
    file { name: "acme.proto" package: "acme" syntax: "proto3"
      message_type { name: "Item"
        field { name: "extend" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
        field { name: "values" number: 2 type: TYPE_DOUBLE label: LABEL_REPEATED } }
      message_type { name: "Rows"
        field { name: "items" number: 1 type: TYPE_MESSAGE type_name: ".acme.Item" label: LABEL_REPEATED }
        field { name: "named" number: 2 type: TYPE_MESSAGE type_name: ".acme.Rows.NamedEntry" label: LABEL_REPEATED }
        field { name: "kind" number: 3 type: TYPE_ENUM type_name: ".acme.Kind" label: LABEL_OPTIONAL }
        nested_type { name: "NamedEntry" options { map_entry: true }
          field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
          field { name: "value" number: 2 type: TYPE_DOUBLE label: LABEL_OPTIONAL } } }
      enum_type { name: "Kind" value { name: "SMALL" number: 0 } value { name: "BIG" number: 1 } }
      service { name: "Scorer" method { name: "Score" input_type: ".acme.Rows" output_type: ".acme.Rows" } } }
    """
    file = folder / "acme.binpb"
    file.write_bytes(text_format.Parse(text, FileDescriptorSet()).SerializeToString())
    return file
