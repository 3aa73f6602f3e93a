"""Machinery of monitor.7: late labels joined to the serving log, and what they say of the newest window."""
