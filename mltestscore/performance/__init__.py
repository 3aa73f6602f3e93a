"""Machinery of monitor.6: limits and comparisons of times, counters, leaks and where they start, training, trends."""
