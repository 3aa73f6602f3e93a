"""Models of other libraries, one module a library: read from their files, asked for scores, task, names and numbers."""
