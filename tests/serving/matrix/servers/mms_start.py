"""The Multi Model Server with a model archive, or with SageMaker's handler on a folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
from model import folder_and_port, trained

folder, port = folder_and_port()
sagemaker, management = sys.argv[3] == "sagemaker", int(sys.argv[4])
here, bin_folder = Path(__file__).parent, Path(sys.executable).parent
model_folder = folder / "model"
model_folder.mkdir(exist_ok=True)
joblib.dump(trained(folder), model_folder / "model.joblib")
config = [f"inference_address=http://127.0.0.1:{port}", f"management_address=http://127.0.0.1:{management}"]
config += ["default_workers_per_model=1"]
store = folder / "store"
store.mkdir(exist_ok=True)
if sagemaker:
    (model_folder / "code").mkdir(exist_ok=True)
    shutil.copy(here / "sagemaker_inference.py", model_folder / "code" / "inference.py")
    config += ["decode_input_request=false"]
    config += ["default_service_handler=sagemaker_inference.default_handler_service:handle"]
    models = "model=model"
else:
    shutil.copy(here / "mms_handler.py", model_folder / "mms_handler.py")
    archiver = [str(bin_folder / "model-archiver"), "--model-name", "iris", "--model-path", str(model_folder)]
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    command = [*archiver, "--handler", "mms_handler:handle", "--export-path", str(store), "-f"]
    subprocess.run(command, check=True, timeout=60, env=environment)
    models = "iris=iris.mar"
if port:
    (folder / "config.properties").write_text("\n".join(config) + "\n")
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "LOG_LOCATION": str(folder),
        "METRICS_LOCATION": str(folder),
        "TEMP": str(folder),
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_PROGRAM": "inference.py",
        "PYTHONPATH": str(model_folder / "code"),  # as the container's own start does
    }
    program = str(bin_folder / "multi-model-server")
    words = [program, "--start", "--foreground", "--mms-config", str(folder / "config.properties")]
    words += ["--model-store", str(folder if sagemaker else store), "--models", models]
    os.execve(program, words, environment)
