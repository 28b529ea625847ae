"""WHAT we believe: pure machine and roll-up, one writer, an immutable Snapshot."""
