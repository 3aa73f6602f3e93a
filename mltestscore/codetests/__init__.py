"""A team's unit tests under observation, in a copy of the project: what they run, and which changes they notice."""
