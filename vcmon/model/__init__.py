"""WHAT we talk about: frozen dataclasses and closed sets; no I/O, no clock, no decisions."""
