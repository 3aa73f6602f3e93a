"""Roll-backs on real servers: each in its own environment, drilled by the check itself as a team's table says."""
