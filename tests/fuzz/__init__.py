"""Long campaigns of hostile bytes against every parser: ``python -m tests.fuzz``."""
