"""Calendar files as Outlook, Google and Zoom write them: written here, with their features."""

from __future__ import annotations


def crlf(text: str) -> bytes:
    """The lines as a calendar has them, without the indentation of the first."""
    return text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n"


OUTLOOK = b"\xef\xbb\xbf" + crlf(
    """
BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:REQUEST
X-MS-OLK-FORCEINSPECTOROPEN:TRUE
BEGIN:VTIMEZONE
TZID:SE Asia Standard Time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0700
TZOFFSETTO:+0700
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;CN="Diskominfo, Aceh";RSVP=TRUE:mailto:diskominfo@aceh.example
CLASS:PUBLIC
CREATED:20261101T020000Z
DESCRIPTION:Agenda:\\n1. Laporan provinsi\\, termasuk Papua\\n2. Lain-lain\\n\\n
\t______________________________________________________________________
DTEND;TZID="SE Asia Standard Time":20261123T100000
DTSTAMP:20261101T020000Z
DTSTART;TZID="SE Asia Standard Time":20261123T080000
EXDATE;TZID="SE Asia Standard Time":20261207T080000,20261214T080000
LOCATION:Ruang rapat Sasana Bhakti Praja
ORGANIZER;CN="Pusdatin, Kemendagri":mailto:pusdatin@kemendagri.example
PRIORITY:5
RECURRENCE-ID-X:none
RRULE:FREQ=WEEKLY;COUNT=10;BYDAY=MO;WKST=SU
SEQUENCE:2
SUMMARY;LANGUAGE=id:Rapat koordinasi mingguan Pusat dan Daerah\\, bersama semu
 a provinsi
TRANSP:OPAQUE
UID:040000008200E00074C5B7101A82E00800000000B0A1
X-ALT-DESC;FMTTYPE=text/html:<html><body>BEGIN:VEVENT</body></html>
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
RECURRENCE-ID;TZID="SE Asia Standard Time":20261130T080000
DTSTART;TZID="SE Asia Standard Time":20261201T090000
DTEND;TZID="SE Asia Standard Time":20261201T103000
SEQUENCE:3
SUMMARY:Rapat koordinasi (pindah)
UID:040000008200E00074C5B7101A82E00800000000B0A1
END:VEVENT
BEGIN:VEVENT
RECURRENCE-ID;TZID="SE Asia Standard Time":20261221T080000
DTSTART;TZID="SE Asia Standard Time":20261221T080000
DTEND;TZID="SE Asia Standard Time":20261221T100000
STATUS:CANCELLED
SUMMARY:Canceled: Rapat koordinasi
UID:040000008200E00074C5B7101A82E00800000000B0A1
END:VEVENT
END:VCALENDAR
"""
)
"""A BOM, CRLF, folds (one through a word), a zone of Windows, a moved and a cancelled time."""

GOOGLE = crlf(
    """
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Rapat
X-WR-TIMEZONE:Asia/Makassar
BEGIN:VTIMEZONE
TZID:Asia/Makassar
X-LIC-LOCATION:Asia/Makassar
BEGIN:STANDARD
TZOFFSETFROM:+0800
TZOFFSETTO:+0800
TZNAME:WITA
DTSTART:19700101T000000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Asia/Makassar:20261124T090000
DTEND;TZID=Asia/Makassar:20261124T100000
RRULE:FREQ=MONTHLY;UNTIL=20270331T155959Z;BYDAY=4TU
EXDATE;TZID=Asia/Makassar:20261222T090000
DTSTAMP:20261110T010203Z
UID:5k2rapatbulanan@google.com
CREATED:20261101T010203Z
LAST-MODIFIED:20261105T010203Z
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:Rapat bulanan wilayah timur
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART:20261126T010000Z
DTEND:20261126T023000Z
DTSTAMP:20261110T010203Z
ORGANIZER;CN=Budi:mailto:budi@gmail.example
UID:7sekali@google.com
SEQUENCE:1
STATUS:CONFIRMED
SUMMARY:Rapat Pilkada
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261226
UID:9libur@google.com
SUMMARY:Natal
END:VEVENT
BEGIN:VEVENT
DTSTART:20251126T010000Z
DTEND:20251126T023000Z
UID:1lama@google.com
SUMMARY:Rapat lama
END:VEVENT
END:VCALENDAR
"""
)
"""A monthly rule until a UTC time, a time in UTC, a whole day, and one that is over."""

ZOOM = crlf(
    """
BEGIN:VCALENDAR
PRODID:-//zoom.us//iCalendar Event//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
CLASS:PUBLIC
BEGIN:VTIMEZONE
TZID:Asia/Jakarta
LAST-MODIFIED:20240422T053450Z
TZURL:https://www.tzurl.example/zoneinfo-outlook/Asia/Jakarta
X-LIC-LOCATION:Asia/Jakarta
BEGIN:STANDARD
TZNAME:WIB
TZOFFSETFROM:+0700
TZOFFSETTO:+0700
DTSTART:19700101T000000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTAMP:20261110T030405Z
DTSTART;TZID=Asia/Jakarta:20261123T080000
DTEND;TZID=Asia/Jakarta:20261123T090000
SUMMARY:Rapat Zoom mingguan
RRULE:FREQ=WEEKLY;WKST=SU;UNTIL=20261214T170000Z;INTERVAL=1;BYDAY=MO,TH
UID:ZOOM81234567890
TZID:Asia/Jakarta
DESCRIPTION:Pusdatin mengundang Anda ke rapat Zoom.\\n\\nhttps://zoom.example/j/8
 1234567890?pwd=abc
LOCATION:https://zoom.example/j/81234567890
BEGIN:VALARM
TRIGGER:-PT10M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""
)
"""Two days of the week until a day, and a TZID where none belongs."""


def event(*lines: str, method: str = "", head: str = "") -> bytes:
    """A calendar with one event of these lines, beside a UID and a length of an hour."""
    written = {line.split(":")[0].split(";")[0] for line in lines}
    more = ["UID:a@b"] * ("UID" not in written)
    more += ["DURATION:PT1H"] * (not written & {"DTEND", "DURATION"})
    calendar = [
        *("BEGIN:VCALENDAR", "VERSION:2.0"),
        *([f"METHOD:{method}"] if method else []),
        *head.splitlines(),
        *("BEGIN:VEVENT", *more, *lines, "END:VEVENT", "END:VCALENDAR"),
    ]
    return crlf("\n".join(calendar))


def together(*files: bytes) -> bytes:
    """Several calendars in one file, as a folder of invitations is exported."""
    return b"".join(files)
