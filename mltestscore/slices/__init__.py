"""Machinery of model.6 and model.7: rows grouped by what they are, and quality compared group by group."""
