"""Comparing one dataset with another, where the data are: joined by key, in the same window, or over time."""
