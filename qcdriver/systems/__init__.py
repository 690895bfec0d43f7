"""Cluster families: how a model is built, and what is measured on it; and the sources of `[structure]`."""
