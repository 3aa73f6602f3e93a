"""Machinery of infra.6: a candidate beside the served model on the same requests, and the log of its ramp."""
