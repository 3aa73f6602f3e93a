"""The model as a joblib file, with the server's own script beside it where one is named."""

import shutil
import sys
from pathlib import Path

import joblib
from model import folder_and_port, trained

folder, _ = folder_and_port()
joblib.dump(trained(folder), folder / "model.joblib")
for name in sys.argv[3:]:
    shutil.copy(Path(__file__).with_name(name), folder / name)
