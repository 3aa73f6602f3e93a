"""News for the model owner, as mail in the folder that the owner reads: ``python -m flights.alerts "…"``."""

from __future__ import annotations

import argparse
import mailbox
from email.message import EmailMessage
from pathlib import Path

OWNER = "model-owner@flights.example"


def send(text: str, folder: Path) -> None:
    """Put a mail with ``text`` into the Maildir at ``folder``."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "alerts@flights.example", OWNER, "News of a dependency"
    mail.set_content(text)
    mailbox.Maildir(folder).add(mail)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Send news of a dependency to the model owner.")
    parser.add_argument("text", help="what is new")
    parser.add_argument("--build", default="build", help="the build whose mail it joins")
    options = parser.parse_args()
    send(options.text, Path(options.build) / "mail")
