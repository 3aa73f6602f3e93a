"""Machinery of infra.7: drills on a registry and a server, their journal, requests while versions swap."""
