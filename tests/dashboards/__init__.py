"""The rules, Alertmanager and what is told of them, held against Prometheus's own tools."""
