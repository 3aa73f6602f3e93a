"""Our generator as a program: ``python -m tests.benchmarks.load.ours URL RATE SECONDS CONNECTIONS``; prints JSON."""

from __future__ import annotations

import json
import sys

from mltestscore.serving.client import Client
from mltestscore.serving.generator import LoadGenerator
from mltestscore.serving.load import schedule
from mltestscore.serving.protocols import protocol_named


def main() -> None:
    """Send one row a request on a fixed schedule; tell what came of it."""
    url, rate, seconds, connections = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    client = Client(url, protocol_named("plain_json"), timeout=5.0)
    generator = LoadGenerator(
        client.predict_url,
        headers=client.headers,
        timeout=5.0,
        decode=lambda reply: client.decode(reply, 1).version,
        connections=connections,
    )
    load = generator.run([client.body({"x": [1.0]})], schedule(rate, seconds, 0, "fixed"))
    generator.close()
    told = {
        "origin": load.origin_s,
        "corrected": load.percentiles(),
        "uncorrected": load.percentiles(corrected=False),
        "requests": load.requests,
        "failed": load.failed,
        "achieved": load.achieved,
        "lag_ms": load.lag_ms_p99,
        "cpu": load.cpu,
        "limited": load.generator_limited,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
