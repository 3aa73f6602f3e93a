"""One example followed through a model, step by step: what infra.5 asks for."""
