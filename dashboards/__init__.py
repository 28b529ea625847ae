"""What stands around vcmon: rules, dashboards, Alertmanager, and what generates and tries them."""
