"""Machinery of model.3: what a record of trials shows, and a search of our own."""
