"""Settings: YAML and CSV files in, one frozen Settings out, or every problem at once."""
