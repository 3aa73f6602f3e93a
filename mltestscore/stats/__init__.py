"""Statistics: pure functions from numbers to intervals. Nothing here reads data, logs, clocks or configuration."""
