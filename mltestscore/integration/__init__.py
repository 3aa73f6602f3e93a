"""Machinery of infra.3: the stages of a pipeline run in a copy, and what each one took and gave."""
