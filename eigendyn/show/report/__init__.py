"""Lay out results as text for a terminal, and summarise them for scripts."""

SCHEMA_VERSION = 1
