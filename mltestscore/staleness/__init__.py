"""Machinery of model.4: what a model loses as it grows old."""
