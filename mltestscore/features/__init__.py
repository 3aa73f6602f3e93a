"""Machinery of the data items about features: benefit and leaks, cost, policy, and how a new one comes in."""
