"""The Centre's name server: it knows one name."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from vcmon.lab.country import DNS_NAME
from vcmon.lab.script import FaultKind

DNS_ADDRESS = "127.100.0.20"
TTL = 60  # seconds


def answer(query: bytes, _fault: FaultKind | None) -> bytes | None:
    """The response to one query; None for what is none (RFC 1035 section 4)."""
    try:
        asked = dns.message.from_wire(query)
        if asked.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(asked)
    except dns.exception.DNSException:
        return None
    if len(asked.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return response.to_wire()
    question = asked.question[0]
    response.flags |= dns.flags.AA
    if question.name.to_text().lower() != DNS_NAME:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A and question.rdclass == dns.rdataclass.IN:
        response.answer.append(dns.rrset.from_text(DNS_NAME, TTL, "IN", "A", DNS_ADDRESS))
    return response.to_wire()
