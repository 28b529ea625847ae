"""The whole chain on one machine: ``python -m dashboards.stack`` (``make stack``).

places      where each part listens
settings    the files that Prometheus and Alertmanager read, made for these places
programs    what is started, with which arguments
processes   starting, waiting until it serves, ending
webhook     the receiver that shows what arrived
"""
