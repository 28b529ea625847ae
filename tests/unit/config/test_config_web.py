"""The section ``web``: what belongs together, and what is only worth a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.settings_files import loaded, problems, write
from vcmon.config.settings import Web
from vcmon.config.summary import notes


def test_files_are_beside_the_settings(tmp_path: Path) -> None:
    """Relative names are absolute once loaded; what is unsaid stays so."""
    found = loaded(tmp_path, "web: {users_file: u, tls_certificate_file: c, tls_key_file: /k}").web
    assert found.users_file == str(tmp_path / "u")
    assert (found.tls_certificate_file, found.tls_key_file) == (str(tmp_path / "c"), "/k")
    assert (found.tokens_file, found.session, found.private) == ("", 43_200.0, False)


@pytest.mark.parametrize(
    ("web", "why"),
    [
        ("private: true", "web.private: expected users_file beside it"),
        ("tls_key_file: k", "web.tls_key_file: expected tls_certificate_file beside it"),
        ("tls_certificate_file: c", "web.tls_certificate_file: expected tls_key_file"),
        ("users_file: ' '", "web.users_file: expected the name of a file"),
        ("proxies: [proxy.example.id]", "web.proxies[0]: expected an address or a network"),
        ("proxies: [192.0.2.1, 0.0.0.0/0]", "web.proxies[1]: expected our own proxies"),
        ("proxies: ['::/0']", "web.proxies[0]: expected our own proxies"),
        ("proxies: [10.0.0.1/8]", "web.proxies[0]: expected an address or a network"),
        ("session: 1s", "web.session: expected 5m to 30d"),
        ("session: 60d", "web.session: expected 5m to 30d"),
        ("private: yes", "web.private: expected true or false"),
        ("listen: here", "web.listen: expected host:port"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, web: str, why: str) -> None:
    """One line with file, line and key, that says what was expected."""
    (told,) = problems(write(tmp_path, f"web:\n  {web}"))
    assert told.startswith("v.yaml:2: web.")
    assert why in told


@pytest.mark.parametrize(
    ("web", "noted"),
    [
        ("listen: 192.0.2.1:80", False),
        ("users_file: u", False),
        ("listen: 192.0.2.1:80, users_file: u", True),
        ("listen: '[::]:80', users_file: u", True),
        ("listen: 192.0.2.1:80, users_file: u, proxies: [192.0.2.9]", False),
        ("listen: '192.0.2.1:80', users_file: u, tls_certificate_file: c, tls_key_file: k", False),
    ],
)
def test_passwords_in_the_clear_are_noted(tmp_path: Path, web: str, noted: bool) -> None:
    """Where somebody on the way could read them ``vcmon check`` says so."""
    told = " ".join(notes(loaded(tmp_path, f"web: {{{web}}}")))
    assert ("passwords travel in the clear" in told) is noted


def test_the_defaults_let_nobody_in() -> None:
    """No users, no tokens, no proxy that is believed."""
    assert (Web().users_file, Web().tokens_file, Web().proxies) == ("", "", ())
