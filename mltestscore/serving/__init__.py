"""Reaching a served model: wire protocols, one client, server processes that always end, and open-loop load."""
