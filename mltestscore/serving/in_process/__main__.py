"""``python -m mltestscore.serving.in_process python:package.module:predict PORT``: the same as a command.

For places that take the command of a server (a roll-back, a pipeline's last stage); ``protocol = "in_process"``.
"""

from __future__ import annotations

import os
import sys

from mltestscore.serving.in_process import SUPERVISOR

if __name__ == "__main__":
    words = sys.argv[1:] if "--" in sys.argv else [*sys.argv[1:], "--", sys.executable]
    os.execv(sys.executable, [sys.executable, "-I", "-S", str(SUPERVISOR), *words])
