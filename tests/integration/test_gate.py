"""Who may act over HTTP: every method by every bearer, wrong tokens without end, and no leaks."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fakes.browser import Browser, Reply, serving
from tests.fakes.figures import record
from tests.fakes.filled_memory import fill
from tests.fakes.snapshots import NOW, World, mixed
from vcmon.config import tokens
from vcmon.config.settings import Settings, Web
from vcmon.config.tokens import Role, fresh
from vcmon.history.store import Store
from vcmon.views import gate
from vcmon.views.refusal import Refusal

ACK = {"deed": "ack", "text": "on it"}
WINDOW = {
    "scope": "province:aceh",
    "title": "Router",
    "start": "2026-11-28 22:00",
    "duration": "4h",
}
READS = ("/api/v1/incidents", "/api/v1/incidents/2", "/api/v1/maintenance")
WRITES: tuple[tuple[str, dict[str, str]], ...] = (
    ("/api/v1/incidents/2/remarks", ACK),
    ("/api/v1/maintenance", WINDOW),
    ("/api/v1/maintenance/1/end", {}),
)


class Keys:
    """A token of each role, as its bearer sends it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.viewer, one = fresh("tv", Role.VIEWER)
        self.operator, two = fresh("budi", Role.OPERATOR)
        tokens.write(path, [one, two])

    def header(self, who: str) -> dict[str, str]:
        text = {"viewer": self.viewer, "operator": self.operator, "wrong": self.operator + "x"}
        return {"Authorization": f"Bearer {text[who]}"} if who in text else {}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "tokens")


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> World:
    fill(tmp_path / "m.db", NOW)
    made = World(mixed(), file=tmp_path / "m.db")
    made.settings = Settings(
        endpoints=(), provinces=made.settings.provinces, web=Web(tokens_file=str(keys.path))
    )
    return made


def contents(world: World) -> str:
    """All that people wrote, as one digest; asked off the loop."""
    assert world.file is not None
    store = Store.open(world.file, write=False)
    told = [store.incidents(0, 1e11), store.maintenance(), store.trail(0, 1e11)]
    store.close()
    return hashlib.sha256(repr(told).encode()).hexdigest()


@pytest.mark.catalogue("T42")
@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [
        ("nobody", {200}, {401}),
        ("wrong", {401}, {401}),
        ("viewer", {200}, {403}),
        ("operator", {200}, {200, 201}),
    ],
)
async def test_each_may_do_what_its_role_allows(
    world: World, keys: Keys, who: str, reads: set[int], writes: set[int]
) -> None:
    """Method by bearer: only an operator writes, and reading changes nothing, whoever reads."""
    headers = keys.header(who)
    before = await asyncio.to_thread(contents, world)
    async with serving(world) as browser:
        found = {
            (await browser.send(m, path, headers)).status for path in READS for m in ("GET", "HEAD")
        }
        assert await asyncio.to_thread(contents, world) == before
        done = [await browser.tell(path, body, **headers) for path, body in WRITES]
    assert found == reads
    assert {reply.status for reply in done} == writes, [reply.text for reply in done]
    changed = await asyncio.to_thread(contents, world) != before
    assert changed is (who == "operator")
    for reply in done:
        challenged = reply.status in {401, 403}
        assert reply.headers.get("WWW-Authenticate", "").startswith("Bearer") is challenged
        assert challenged is (reply.json.keys() == {"error", "status"})


@pytest.mark.catalogue("T42")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_not_served(world: World, keys: Keys, method: str) -> None:
    """405 with what is allowed, for an operator too; nothing is written."""
    before = await asyncio.to_thread(contents, world)
    async with serving(world) as browser:
        for path in (*READS, *(path for path, _ in WRITES)):
            reply = await browser.send(method, path, keys.header("operator"))
            assert reply.status == 405, path
            assert reply.headers["Allow"]
    assert await asyncio.to_thread(contents, world) == before


@pytest.mark.catalogue("T42")
async def test_acting_is_off_unless_it_is_configured(world: World, keys: Keys) -> None:
    """Without web.tokens_file every deed is 403 and says so; reading goes on, token or not."""
    world.settings = Settings(endpoints=(), provinces=world.settings.provinces)
    async with serving(world) as browser:
        for path, body in WRITES:
            reply = await browser.tell(path, body, **keys.header("operator"))
            assert reply.status == 403
            assert "web.tokens_file is not set" in reply.json["error"]
        assert (await browser.send("GET", READS[0], keys.header("wrong"))).status == 200


@pytest.mark.catalogue("T42")
@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "bearer  x", "Basic YnVkaTpidWRp", "Token x", "x",
     "Bearer vcmon_budi.", "Bearer vcmon_nobody.x", "Bearer " + "x" * 7000,
     "Bearer vcmon_budi.\xff\xfe"],
)  # fmt: skip
async def test_what_is_no_token_is_401(world: World, header: str) -> None:
    """Whatever stands in the header: 401 and how it should look; never 500."""
    async with serving(world) as browser:
        reply = await browser.tell(WRITES[0][0], ACK, Authorization=header)
        assert (reply.status, reply.headers["WWW-Authenticate"][:6]) == (401, "Bearer")


async def test_a_scheme_is_of_any_case(world: World, keys: Keys) -> None:
    """RFC 9110: ``bearer`` is Bearer."""
    async with serving(world) as browser:
        reply = await browser.tell(WRITES[0][0], ACK, Authorization=f"bEARER {keys.operator}")
    assert reply.status == 201


async def test_a_token_that_is_taken_away_is_refused_at_once(world: World, keys: Keys) -> None:
    """Right a moment ago and still remembered: the change of the file counts."""
    async with serving(world) as browser:
        first = await browser.tell(WRITES[0][0], ACK, **keys.header("operator"))
        kept = await asyncio.to_thread(tokens.read, keys.path)
        await asyncio.to_thread(tokens.write, keys.path, [kept["tv"]])
        second = await browser.tell(WRITES[0][0], ACK, **keys.header("operator"))
        keys.path.unlink()
        third = await browser.send("GET", READS[0], keys.header("viewer"))
    assert (first.status, second.status, third.status) == (201, 401, 401)


async def test_a_file_that_cannot_be_trusted_lets_nobody_in(world: World, keys: Keys) -> None:
    """Writable by others, or damaged: 503 for every token, one line in the log, no lock-out."""
    async with serving(world) as browser:
        keys.path.chmod(0o666)
        with capture_logs() as log:
            replies = [await _try(browser, keys.operator) for _ in range(50)]
        keys.path.chmod(0o600)
        well = await _try(browser, keys.operator)
    assert {reply.status for reply in replies} == {503}
    assert len([entry for entry in log if "tokens_file" in entry["event"]]) == 1
    assert well.status == 201


async def _try(browser: Browser, token: str) -> Reply:
    return await browser.tell(WRITES[0][0], ACK, Authorization=f"Bearer {token}")


@pytest.mark.catalogue("T42")
async def test_ten_thousand_wrong_tokens(
    world: World, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hardly any is looked at, the loop runs on, and who is remembered acts all the while."""
    looked: list[float] = []
    right = tokens.matches

    def counted(token: tokens.Token | None, secret: str) -> bool:
        looked.append(time.perf_counter())
        return right(token, secret)

    monkeypatch.setattr(gate, "matches", counted)
    lags: list[float] = []

    async def pulse() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            lags.append(time.perf_counter() - before - 0.01)

    statuses: dict[int, int] = {}

    async def guess(browser: Browser, numbers: range) -> None:
        for n in numbers:
            header = {"Authorization": f"Bearer vcmon_budi.{n:043}"}
            reply = await browser.send("POST", WRITES[2][0], header)
            statuses[reply.status] = statuses.get(reply.status, 0) + 1
            if reply.status == 429:
                assert 1 <= int(reply.headers["Retry-After"]) <= 7

    async with serving(world) as browser:
        assert (await _try(browser, keys.operator)).status == 201
        beating = asyncio.ensure_future(pulse())
        begun = time.perf_counter()
        await asyncio.gather(*(guess(browser, range(n, 10_000, 20)) for n in range(20)))
        took = time.perf_counter() - begun
        known = await _try(browser, keys.operator)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
    most = gate.PEER_BURST + took * gate.PEER_RATE + 2
    assert sum(statuses.values()) == 10_000
    assert set(statuses) <= {401, 429}
    assert len(looked) <= most + 1
    assert known.status == 201
    late = max(lags)
    figure = f"10000 wrong in {took:.1f} s, {len(looked) - 1} looked at, loop {late * 1000:.0f} ms"
    record("T42 wrong tokens", figure, "<= 45 s, <= 20, < 250 ms", took < 45 and late < 0.25)
    assert took < 45
    assert late < 0.25


async def test_many_peers_together_are_bounded_too(world: World) -> None:
    """A hundred addresses with a few guesses each: no more are looked at than all may have."""
    turned = [1000.0]
    it = gate.Gate(lambda: world.settings.web.tokens_file, lambda: turned[0])
    waits = []
    for n in range(100):
        try:
            it._spend(f"192.0.2.{n}")
        except Refusal as refused:
            waits.append(int(refused.headers["Retry-After"]))
    it.close()
    assert len(waits) == 100 - gate.ALL_BURST
    assert set(waits) == {1}


@pytest.mark.catalogue("T43")
async def test_no_token_gets_anywhere(world: World, keys: Keys) -> None:
    """Right, wrong, misplaced or torn: no token or hash is in a log, an answer, or the memory."""
    canaries = [keys.operator, keys.viewer, "vcmon_budi.CANARY-of-a-wrong-token"]
    told: list[str] = []
    with capture_logs() as log:
        async with serving(world) as browser:
            for token in canaries:
                for path, body in WRITES:
                    reply = await browser.tell(path, body, Authorization=f"Bearer {token}")
                    told.append(reply.text)
                told += [
                    (await browser.ask(path, Authorization=f"Basic {token}")).text for path in READS
                ]
            torn = (
                f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys.operator}\x01\r\n\r\n",
                f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer {keys.operator}\r\n\r\n",
                f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys.operator * 200}\r\n\r\n",
            )
            for request in torn:
                await _raw(browser.port, request.encode())
            pages = ("/", "/metrics", "/api/v1/status", *READS)
            told += [(await browser.ask(path)).text for path in pages]
    assert world.file is not None
    files = [each.read_bytes().decode("latin-1") for each in world.file.parent.glob("m.db*")]
    everywhere = "".join((*told, *files, repr(log)))
    kept = await asyncio.to_thread(tokens.read, keys.path)
    hashes = [each.hash for each in kept.values()]
    secrets = [token.partition(".")[2] for token in canaries]
    found = [secret for secret in (*secrets, *hashes) if secret in everywhere]
    record("T43", f"{len(found)} of {len(secrets) + len(hashes)} secrets found", "0", not found)
    assert found == []
    assert "budi" in repr(log), "the log tells who did it"


async def _raw(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await reader.read()
    writer.close()
    await writer.wait_closed()
