"""The compiled messages are those of the ``.proto`` files beside them."""

import subprocess
import sys
from pathlib import Path

import pytest

from mltestscore.serving import messages

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
