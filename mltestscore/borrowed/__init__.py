"""What a team has already, as evidence: results and schemas of Great Expectations, Evidently and pandera."""
