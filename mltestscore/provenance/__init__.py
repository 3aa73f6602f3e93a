"""Machinery of model.1: commits and who reviewed them, and the settings that a commit holds."""
