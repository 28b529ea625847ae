"""vcmon beside the tools it is measured against: ``python -m benchmarks [--quick] [NAME ...]``."""
