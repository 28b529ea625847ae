"""The Grafana dashboards, written here, generated as JSON into ``dashboards/grafana``."""
