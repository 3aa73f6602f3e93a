"""The names of monitor.5's findings, which rows of the probe and the log of served scores share."""

PROBE, LOG = "probe", "serving log"
NOT_FINITE = "scores that are NaN or infinite"
OUTSIDE = "scores outside of [0, 1]"
DISTINCT = "different scores"
STILL = "hidden units that no row moves"
