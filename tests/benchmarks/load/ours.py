"""Our generator as a program: ``python -m tests.benchmarks.load.ours URL RATE SECONDS CONNECTIONS ARRIVALS``."""

from __future__ import annotations

import json
import sys

from mltestscore.serving.client import Client
from mltestscore.serving.generator import LoadGenerator
from mltestscore.serving.load import Arrivals, schedule
from mltestscore.serving.protocols import protocol_named

SEED = 0


def main() -> None:
    """Send one row a request, after a block that warms up as a check's does; tell what came of it, as JSON."""
    url, rate, seconds, connections = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    arrivals: Arrivals = "poisson" if sys.argv[5] == "poisson" else "fixed"
    client = Client(url, protocol_named("plain_json"), timeout=5.0)
    generator = LoadGenerator(
        client.predict_url,
        headers=client.headers,
        timeout=5.0,
        decode=lambda reply: client.decode(reply, 1).version,
        connections=connections,
    )
    bodies = [client.body({"x": [1.0]})]
    generator.run(bodies, schedule(rate, 0.2, 1, arrivals))
    load = generator.run(bodies, schedule(rate, seconds, SEED, arrivals))
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
        "connections": load.connections,
        "processes": load.processes,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
