"""A TLS handshake, verified; and what other probes need to speak over TLS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from vcmon.config.params import TlsFields, TlsParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.net.tcp import Stream, connect
from vcmon.net.tls import CERTIFICATE_REASONS, client_context
from vcmon.probes.base import Tools
from vcmon.probes.tcp import connection, settling_time

DAY = 86400.0


async def probe(check: Check[TlsParams], tools: Tools) -> Result:
    """UP when the handshake succeeds and the peer then keeps the connection.

    A TLS proxy in front of a dead service shakes hands and hangs up: that is DOWN ``reset``.
    """
    async with connection(check, check.params.port, tools) as stream:
        await secure(stream, check, tools)
        await stream.watch(settling_time(tools))
    return verdict(check, tools)


async def secure(stream: Stream, check: Check[Any], tools: Tools) -> None:
    """Shake hands over ``stream`` as the check's TlsFields say; measures the phase ``tls``.

    Leaves version, cipher and expiry in ``tools``; the expiry also when the certificate is
    refused. Raises ProbeError.
    """
    params: TlsFields = check.params
    loading = client_context(params.ca_file, verify=params.verify)
    context = await tools.deadline.run(loading, "the trust store didn't load", Blame.LOCAL)
    try:
        with tools.phase("tls"):
            session = await stream.start_tls(context, params.server_name or check.address)
    except ProbeError as fault:
        if fault.reason in CERTIFICATE_REASONS:
            tools.certificate_expiry = await _refused_expiry(stream, check, tools)
        raise
    tools.certificate_expiry = session.expiry
    tools.detail["tls_version"] = session.version
    tools.detail["tls_cipher"] = session.cipher


def verdict(check: Check[Any], tools: Tools) -> Result:
    """UP, or impaired when the certificate that was seen runs out within ``expiry_warning``."""
    params: TlsFields = check.params
    expiry = tools.certificate_expiry
    if expiry is None:
        return tools.up(check)
    left = expiry - tools.clock.wall()
    if left >= params.expiry_warning:
        return tools.up(check)
    day = datetime.fromtimestamp(expiry, UTC).date().isoformat()
    text = (
        f"the certificate expires in {left / DAY:.1f} days, on {day}; renew it"
        if left > 0
        else f"the certificate expired on {day}; renew it"
    )
    return tools.impaired(check, Reason.TLS_CERTIFICATE_EXPIRING, text)


async def _refused_expiry(stream: Stream, check: Check[Any], tools: Tools) -> float | None:
    """When the certificate just refused expires: OpenSSL forgets a refused one, so ask again."""
    params: TlsFields = check.params
    try:
        context = await client_context("", verify=False)
        again = await connect((stream.peer,), stream.port, tools.deadline)
        try:
            session = await again.start_tls(context, params.server_name or check.address)
        finally:
            again.close()
    except ProbeError:
        return None  # the fault that brought us here is the one to tell
    return session.expiry
