"""Sockets done once, well: nothing here knows what a province is."""
