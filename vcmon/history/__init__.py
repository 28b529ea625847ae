"""WHAT we remember: intervals of state, incidents, what people said; SQLite in its own thread."""
