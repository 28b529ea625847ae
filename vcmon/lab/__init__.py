"""The loopback country of ``vcmon demo``: real servers, scripted faults."""
