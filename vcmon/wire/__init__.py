"""Bytes to dataclasses and back, sans-I/O: no socket, no clock, every parser fuzzed."""
