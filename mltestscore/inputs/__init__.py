"""The team's system as checks see it. All I/O on it happens here and in :mod:`mltestscore.serving`."""
