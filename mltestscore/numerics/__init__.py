"""Machinery of monitor.5: rows that the schema allows, what a model answers to them, and the numbers that it holds."""
