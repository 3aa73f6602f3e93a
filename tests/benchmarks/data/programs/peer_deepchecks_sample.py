"""Deepchecks again, all at its defaults, which look at a sample of 100,000 rows."""

from __future__ import annotations

from exchange import told
from peer_deepchecks import compare

SAMPLE = 100_000

if __name__ == "__main__":
    work = told()
    compare(work, min(SAMPLE, work.rows))
