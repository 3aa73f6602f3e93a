"""Machinery of monitor.1: contracts and their acknowledgement, lock and environment, a notification that arrives."""
