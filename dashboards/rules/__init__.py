"""Recording and alert rules for Prometheus, rendered from one plan.

``plan`` holds every number, ``votes`` makes one word of what several vantages say, ``provinces``,
``vantages`` and ``budget`` say who is told of it, ``files`` writes it down.
"""
