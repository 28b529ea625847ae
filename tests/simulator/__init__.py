"""A year of a scripted country in a minute: what vcmon recorded against what really happened."""
