"""What is asked of Prometheus in more than one panel.

A verdict is a number: 0 up, 1 degraded, 2 unreachable, 3 down, 4 unknown (``palette.VERDICTS``).
Unknown is a row of its own and never the absence of one, so that nothing silently leaves a count.
"""

from __future__ import annotations

JOB = 'job="vcmon"'

INFO = "province:vcmon_province_info:labels"
"""Recorded: one row a province, whatever the vantages say."""

CHOSEN_PLACES = f'{INFO}{{timezone=~"$timezone",island=~"$island"}}'
"""The provinces that the variables of the country's dashboard leave."""

CODES = (("up", 0), ("degraded", 1), ("unreachable", 2), ("down", 3), ("unknown", 4))


def voted(where: str = "") -> str:
    """What the quorum says of each province; ``where`` is a selector's inside."""
    chosen = f"{{{where}}}" if where else ""
    return (
        f"2 * (province:vcmon_quorum_unreachable:bool{chosen} == 1)"
        f" or 3 * (province:vcmon_quorum_down:bool{chosen} == 1)"
        f" or (province:vcmon_quorum_degraded:bool{chosen} == 1)"
        f" or 0 * province:vcmon_quorum_down:bool{chosen}"
        f" or 4 * province:vcmon_watched:bool{chosen}"
    )


def told(metric: str, by: str, where: str) -> str:
    """What each vantage itself says, out of a family with a ``state`` label."""
    each = " or ".join(
        f'{code} * ({metric}{{{JOB},state="{state}",{where}}} == 1)' for state, code in CODES
    )
    return f"sum by ({by}) ({each})"


def in_country(expr: str) -> str:
    """Only the provinces that the country's variables leave."""
    return f"({expr}) and on (province) {CHOSEN_PLACES}"


def lost() -> str:
    """How many voters say down or unreachable, behind whatever it may be."""
    return "(province:vcmon_vantages_down:count + province:vcmon_vantages_unreachable:count)"


def counted(code: int) -> str:
    """How many of the chosen provinces have this verdict; no sample where none has any."""
    return f"sum(({in_country(voted())}) == bool {code})"


def named(expr: str, labels: str = "name", info: str = INFO) -> str:
    """The same rows with a province's ``labels`` beside them."""
    return f"({expr}) * on (province) group_left ({labels}) {info}"


def quantile(share: float, family: str, by: str, where: str) -> str:
    """A quantile of a histogram over the panel's own step."""
    rate = f"rate({family}_bucket{{{JOB},{where}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({by}, le) ({rate}))"


def per_second(counter: str, by: str, where: str) -> str:
    """How often, each second."""
    return f"sum by ({by}) (rate({counter}{{{JOB},{where}}}[$__rate_interval]))"
