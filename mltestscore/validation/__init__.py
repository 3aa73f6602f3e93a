"""Machinery of infra.4: models that a team's release gate must refuse or accept, and what its verdicts say of it."""
