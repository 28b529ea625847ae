"""Read-only faces of the Snapshot: nothing here decides or probes."""
