"""Results enter; what a terminal or a script wants to know of them leaves."""

SCHEMA_VERSION = 1
