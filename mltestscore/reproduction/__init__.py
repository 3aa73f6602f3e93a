"""Machinery of infra.1: what trainings are run in, why two of them differ, and what several of them agree on."""
