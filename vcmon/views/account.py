"""The readable account of ``vcmon probe``: what each check found, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vcmon.config.text import printable
from vcmon.model.endpoint import Check, Endpoint
from vcmon.model.result import Blame, Direction, Outcome, Reason, Result
from vcmon.views.directions import directions, streams_object


class Advice(NamedTuple):
    """A reason in words, and the next step."""

    words: str
    next: str


ADVICE: Mapping[Reason, Advice] = {
    Reason.OK: Advice("it does its job", "nothing to do"),
    Reason.TIMEOUT: Advice(
        "no answer within the timeout",
        "ask whether it has power; follow the path with traceroute; a firewall may drop silently",
    ),
    Reason.REFUSED: Advice(
        "the host is alive, but nothing listens on this port",
        "start the service there, or correct the port in the inventory (sip:5070)",
    ),
    Reason.RESET: Advice(
        "the connection was cut by the other side",
        "look at the service's log there; a firewall in between may also cut it",
    ),
    Reason.NET_UNREACHABLE: Advice(
        "a router on the way has no route to this network",
        "traceroute names that router: call whoever runs it",
    ),
    Reason.HOST_UNREACHABLE: Advice(
        "the last router does not find this host",
        "ask the site whether the equipment is on and its network cable is in",
    ),
    Reason.TTL_EXCEEDED: Advice(
        "the packets go round in a loop",
        "traceroute shows the two routers that hand them to each other: call whoever runs them",
    ),
    Reason.FILTERED: Advice(
        "a firewall on the way forbids it",
        "ask for this vcmon's address and the port to be allowed",
    ),
    Reason.MTU: Advice(
        "small packets arrive, large ones vanish on the way",
        "have ICMP 'fragmentation needed' let through, or lower the MTU at the tunnel or VPN",
    ),
    Reason.DNS_NXDOMAIN: Advice(
        "the name does not exist",
        "look for a typing error in the inventory, or ask whether the name was changed",
    ),
    Reason.DNS_FAILURE: Advice(
        "the name could not be looked up",
        "try 'dig NAME' here; better give an IP address in the inventory",
    ),
    Reason.TLS_HANDSHAKE: Advice(
        "TLS could not be agreed on",
        "ask whether TLS 1.2 or newer is on there; see 'openssl s_client -connect HOST:PORT'",
    ),
    Reason.TLS_CERTIFICATE: Advice(
        "the certificate is not valid",
        "see it with 'openssl s_client -connect HOST:PORT' and tell who runs the service",
    ),
    Reason.TLS_CERTIFICATE_EXPIRED: Advice(
        "the certificate has expired", "have it renewed there; participants' software refuses it"
    ),
    Reason.TLS_CERTIFICATE_NOT_YET_VALID: Advice(
        "the certificate is not valid yet", "check the clock there, and the clock of this machine"
    ),
    Reason.TLS_CERTIFICATE_HOSTNAME: Advice(
        "the certificate is for another name",
        "set server_name in a check profile, or have a certificate made for this name",
    ),
    Reason.TLS_CERTIFICATE_SELF_SIGNED: Advice(
        "the certificate is signed by itself",
        "name it in ca_file of a check profile if it is meant so, else have it replaced",
    ),
    Reason.TLS_CERTIFICATE_UNTRUSTED: Advice(
        "the certificate comes from an issuer that is not trusted here",
        "the server may leave out its intermediate certificate; or name the issuer in ca_file",
    ),
    Reason.TLS_CERTIFICATE_WEAK: Advice(
        "the certificate's key or signature is too weak", "have a new one made, RSA 2048 or ECDSA"
    ),
    Reason.TLS_CERTIFICATE_EXPIRING: Advice(
        "it works, but the certificate expires soon", "have it renewed before that day"
    ),
    Reason.PROTOCOL: Advice(
        "something answered, but not in this protocol",
        "check that the port belongs to this service and not to another",
    ),
    Reason.STATUS: Advice(
        "it answered with a code that means failure", "look the code up in the service's own log"
    ),
    Reason.CONTENT: Advice(
        "it answered, but not with what was expected",
        "open it in a browser; then correct the service, or what the profile expects",
    ),
    Reason.AUTH: Advice(
        "it asks for, or refused, credentials", "allow this vcmon's address, or check its account"
    ),
    Reason.BUSY: Advice(
        "it is in use, or too busy to serve",
        "that is no fault of a room in a conference; of a server look at the load",
    ),
    Reason.STALL: Advice(
        "vcmon itself was too slow to tell", "look at the load of this machine, then run it again"
    ),
    Reason.NO_ROUTE: Advice(
        "this machine has no route there", "see 'ip route get ADDRESS' and our own uplink"
    ),
    Reason.FD_EXHAUSTED: Advice(
        "this machine ran out of file descriptors", "raise LimitNOFILE in vcmon.service"
    ),
    Reason.BUFFERS: Advice(
        "this machine's network buffers are full", "look at the interface's load and its queue"
    ),
    Reason.PERMISSION: Advice(
        "this machine, or its settings, don't let us send that",
        "set sysctl net.ipv4.ping_group_range, look for a local firewall rule, or at its hours",
    ),
    Reason.BUG: Advice(
        "an error inside vcmon", "please report it with the output of 'vcmon probe --json'"
    ),
    Reason.SERVICE: Advice(
        "the host answers ping, its service does not", "have the service restarted there"
    ),
    Reason.LOSS: Advice(
        "too many packets are lost", "look for an overloaded link; ask the provider to measure"
    ),
    Reason.JITTER: Advice(
        "the delay varies too much", "look for an overloaded link, or missing priority for video"
    ),
    Reason.RTT: Advice(
        "the round trip takes too long",
        "the traffic may take a detour or the backup; compare traceroute with a good day",
    ),
    Reason.PARENT: Advice(
        "what it depends on is down", "look there first: 'vcmon probe' on its depends_on"
    ),
    Reason.PARTIAL: Advice("a part of it is down", "probe its endpoints one by one"),
    Reason.ON_BACKUP: Advice(
        "it runs on the backup link", "have the main link mended: the backup is the last one"
    ),
    Reason.FLAPPING: Advice(
        "it falls and rises again and again",
        "look for a loose plug, bad power or a link that errors; its incident tells each time",
    ),
    Reason.STALE: Advice(
        "the last result is too old to count", "see whether vcmon is running: its log, /-/healthy"
    ),
    Reason.BLIND: Advice(
        "our own side is cut off: nothing can be said", "look at this machine's own uplink first"
    ),
    Reason.GAP: Advice(
        "nobody looked: vcmon was stopped, or the machine slept", "see the log around that time"
    ),
    Reason.NO_DATA: Advice("nothing is known yet", "wait for one interval"),
}

BLAMED: Mapping[Blame, str] = {
    Blame.NONE: "",
    Blame.REMOTE: "at the far end",
    Blame.PATH: "on the way or at the far end",
    Blame.LOCAL: "on our own side",
}

UNPROVEN = frozenset({"tcp", "eof"})
"""What was seen of an endpoint that is up without having said anything."""

_STYLE = {Outcome.UP: "bold green", Outcome.DOWN: "bold red", Outcome.UNKNOWN: "bold yellow"}
_BAR = 30  # characters of the longest phase
_LONG = 500  # characters of a detail: a banner may be as long as a peer likes


def verdict(endpoint: Endpoint, results: Sequence[Result]) -> Outcome:
    """Up when all deciding checks are, down when one is; unknown when that can't be told.

    Where none of the results is of a deciding check, all of them count.
    """
    deciding = {check.id for check in endpoint.checks if check.decides}
    counted = [each for each in results if each.check in deciding] or list(results)
    outcomes = {each.outcome for each in counted}
    if Outcome.DOWN in outcomes:
        return Outcome.DOWN
    return Outcome.UP if outcomes == {Outcome.UP} else Outcome.UNKNOWN


def as_json(endpoint: Endpoint, results: Sequence[Result]) -> list[dict[str, Any]]:
    """The results as ``vcmon probe --json`` prints them: times in RFC 3339 UTC, milliseconds."""
    kinds = {check.id: check.kind for check in endpoint.checks}
    return [
        {
            "endpoint": result.check.endpoint,
            "check": result.check.name,
            "kind": kinds[result.check],
            "outcome": str(result.outcome),
            "reason": str(result.reason),
            "blame": str(result.blame),
            "at": datetime.fromtimestamp(result.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "duration_ms": round(result.duration * 1000, 3),
            "phases": {name: round(value * 1000, 3) for name, value in result.phases.items()},
            "detail": {key: _plain(value) for key, value in result.detail.items()},
            **({"streams": streams_object(result.streams)} if result.streams else {}),
        }
        for result in results
    ]


def _plain(value: str | float | bool) -> str | int | float | bool | None:
    return None if isinstance(value, float) and not isfinite(value) else value


def account(endpoint: Endpoint, results: Sequence[Result]) -> RenderableType:
    """All results of one endpoint for a terminal; nothing from outside can steer it."""
    checks = {check.id: check for check in endpoint.checks}
    place = ", ".join(filter(None, (endpoint.province, endpoint.site)))
    head = f"{endpoint.id}  {endpoint.role}  {endpoint.address}  ({place})"
    parts: list[RenderableType] = [_safe(head, "bold")]
    for result in results:
        parts.append(Text(""))
        parts.extend(_one(checks[result.check], result))
    outcome = verdict(endpoint, results)
    parts.append(Text(""))
    parts.append(
        Text.assemble("verdict: ", (f"{endpoint.id} is {outcome.upper()}", _STYLE[outcome]))
    )
    if outcome is not Outcome.UP and endpoint.contact:
        parts.append(_safe(f"call:    {endpoint.contact}"))
    return Group(*parts)


def _one(check: Check[Any], result: Result) -> Iterator[RenderableType]:
    advice = ADVICE[result.reason]
    kind = "" if check.decides else ", supporting"
    word = "IMPAIRED" if result.impaired else result.outcome.upper()
    style = "bold yellow" if result.impaired else _STYLE[result.outcome]
    yield Text.assemble(
        (check.id.name, "bold"), f" ({check.kind}{kind})  ", (word, style), f"  {result.reason}"
    )
    for line in _facts(result, advice):
        yield Padding(_safe(line), (0, 0, 0, 2), expand=False)
    if result.phases:
        yield Padding(_phases(result.phases), (0, 0, 0, 2), expand=False)
    for key, value in result.detail.items():
        yield Padding(_safe(f"{key}: {str(value)[:_LONG]}"), (0, 0, 0, 2), expand=False)
    if result.reason is not Reason.OK:
        yield Padding(_safe(f"try next: {advice.next}", "cyan"), (0, 0, 0, 2), expand=False)


def _facts(result: Result, advice: Advice) -> Iterator[str]:
    where = BLAMED[result.blame]
    unproven = result.reason is Reason.OK and result.detail.get("evidence") in UNPROVEN
    words = "it takes connections; that it does its job was not seen" if unproven else advice.words
    yield f"{words}{f' ({where})' if where else ''}, after {_ms(result.duration)}"
    echo = result.echo
    if echo is not None:
        facts = [f"{echo.sent} sent, {echo.received} received"]
        facts += [f"{echo.duplicates} duplicates"] if echo.duplicates else []
        facts += [f"{echo.late} late"] if echo.late else []
        facts += [f"round trip {_ms(echo.rtt)}"] if echo.rtt is not None else []
        facts += [f"jitter {_ms(echo.jitter)}"] if echo.jitter is not None else []
        yield ", ".join(facts)
    for name, direction in directions(result.streams):
        yield f"{name}: {_direction(direction)}"
    if result.transmissions > 1:
        yield f"it took {result.transmissions} sendings: packets are lost on the way"


def _direction(it: Direction) -> str:
    facts = [f"{it.received} of {it.sent} arrived"] if it.sent else ["loss can't be told apart"]
    facts += [f"jitter {_ms(it.jitter)}"] if it.jitter is not None else []
    facts += [f"DSCP {it.dscp}"] if it.dscp is not None else ["DSCP not told"]
    return ", ".join(facts)


def _phases(phases: Mapping[str, float]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    longest = max(phases.values())
    for name, seconds in phases.items():
        length = round(_BAR * seconds / longest) if longest > 0 else 0
        table.add_row(_safe(name), Text(_ms(seconds)), Text("━" * max(1, length), "blue"))
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def _safe(text: str, style: str = "") -> Text:
    return Text(printable(text), style)
