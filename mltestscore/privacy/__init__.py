"""Machinery of ``data.5``: kinds of personal data, the search for subjects, membership inference."""
