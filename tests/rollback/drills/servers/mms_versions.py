"""The Multi Model Server with archives of two versions in its store, the second registered."""

import json
import os
import subprocess
import sys
from pathlib import Path

folder, port, management = Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:4])
programs, store = Path(sys.executable).parent, folder / "store"
os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
store.mkdir(exist_ok=True)
for version, slope in {"1": 1.0, "2": -2.0}.items():
    place = folder / version
    place.mkdir(exist_ok=True)
    (place / "slope.json").write_text(json.dumps(slope))
    (place / "mms_line.py").write_text((Path(__file__).parent / "mms_line.py").read_text())
    archiver = [str(programs / "model-archiver"), "--model-name", f"line-{version}", "--model-path", str(place)]
    command = [*archiver, "--handler", "mms_line:handle", "--export-path", str(store), "-f"]
    subprocess.run(command, check=True, timeout=60)
config = [f"inference_address=http://127.0.0.1:{port}", f"management_address=http://127.0.0.1:{management}"]
(folder / "config.properties").write_text("\n".join([*config, "default_workers_per_model=1"]) + "\n")
os.environ |= {"LOG_LOCATION": str(folder), "METRICS_LOCATION": str(folder), "TEMP": str(folder)}
words = [str(programs / "multi-model-server"), "--start", "--foreground"]
words += ["--mms-config", str(folder / "config.properties"), "--model-store", str(store)]
os.execv(words[0], [*words, "--models", "line=line-2.mar"])
