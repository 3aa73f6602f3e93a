"""A page around what Evidently drew: its scripts run in a sandboxed frame, of an origin of its own and without network.

The frame's content stands in the attribute ``srcdoc``, so that the page is one file. A frame made so inherits the
page's content security policy, and carries it itself as well: scripts only those that Evidently wrote, by their
digests (no handler in an attribute, no ``eval``), no request to anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import re

from .render import environment

SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
EXTERNAL = re.compile(r"<script[^>]*\ssrc\s*=", re.IGNORECASE)


def page(feature: str, about: str, drawn: str) -> str:
    """Return the page on ``feature``; ``drawn`` is Evidently's own, a whole document.

    Raises :class:`ValueError` when that document loads a script from elsewhere, or has none or no head.
    """
    scripts = SCRIPT.findall(drawn)
    if not scripts or EXTERNAL.search(drawn) or "<head>" not in drawn:
        raise ValueError("Evidently's page is of another form than expected; its scripts must stand in it")
    policy = _policy(scripts)
    frame = drawn.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
    template = environment().get_template("drilldown.html.j2")
    return template.render(feature=feature, about=about, policy=policy, frame=frame)


def _policy(scripts: list[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
