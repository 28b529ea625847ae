"""``make dashboards-check``: the dashboards in Grafana's own code, without a server of its.

Its types, then what its data code makes of the answers, then what its components draw of them. The
last two need half a gigabyte of packages in build/, and so are not part of ``make test``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.async_api import Page, async_playwright

from tests.dashboards.grafana_files import FOLDER, dashboards, panels
from tests.dashboards.seeded import prometheus
from tests.dashboards.values import ALL, MANY, VALUES
from tests.dashboards.workbench import BUILD, bench, node
from tests.fakes.chromium import FLAGS
from tests.fakes.figures import record
from tests.fakes.needs import needs

LAST = 60
"""Seconds to look back over at a Prometheus that has just been seeded."""

WIDTH = 1600
SHOWN_SECONDS = 30
DRAWN = {"stat", "table", "text", "timeseries"}
"""What @grafana/ui has components for; the others are panels of Grafana itself."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.dashboards", description=__doc__)
    parser.add_argument("--prometheus", help="one that has data; left out: one is seeded")
    parser.add_argument("--last", type=int, default=LAST, help="seconds to look back over")
    parser.add_argument("--province", default=VALUES["province"])
    parser.add_argument("--endpoint", default=VALUES["endpoint"])
    parser.add_argument("--to", type=Path, default=BUILD / "pictures", help="folder of pictures")
    return parser.parse_args()


def _variables(said: argparse.Namespace) -> dict[str, dict[str, str]]:
    """The values of the variables, by the uid of the dashboard."""
    plain = {name: text for name, text in VALUES.items() if not name.startswith("__")}
    one = {**plain, "province": said.province, "endpoint": said.endpoint}
    many = {**one, "province": ALL["province"]}
    return {uid: many if uid in MANY else one for uid in dashboards()}


def types() -> int:
    """Layer A; the number of mistakes."""
    run = node(bench("types"), "check.mjs", str(FOLDER))
    print(run.stdout + run.stderr, end="")
    return run.returncode


def data(url: str, said: argparse.Namespace) -> int:
    """Layer C."""
    asked = (str(FOLDER), url, str(said.last), json.dumps(_variables(said)))
    run = node(bench("render"), "data.mjs", *asked)
    print(run.stdout + run.stderr, end="")
    figure = run.stdout.strip().rpartition("\n")[2] or "nothing"
    record("dashboards data", figure, "0 mistakes", run.returncode == 0)
    return run.returncode


def pixels(url: str, said: argparse.Namespace) -> int:
    """Layer D."""
    folder = bench("render")
    run = node(folder, "node_modules/vite/bin/vite.js", "build", seconds=300)
    if run.returncode:
        print(run.stdout + run.stderr, end="")
        return 1
    dist = folder / "dist"
    shutil.copytree(FOLDER, dist / "dashboards", dirs_exist_ok=True)
    asked = {"prometheus": url, "seconds": said.last, "variables": _variables(said)}
    (dist / "asked.json").write_text(json.dumps(asked))
    said.to.mkdir(parents=True, exist_ok=True)
    with _served(dist) as address:
        wrong = asyncio.run(_pictures(address, said.to))
    for line in wrong:
        print(f"WRONG {line}")
    drawn = sum(each["type"] in DRAWN for board in dashboards().values() for each in panels(board))
    version = json.loads((folder / "node_modules/@grafana/ui/package.json").read_text())["version"]
    figure = f"@grafana/ui {version}: {drawn} panels drawn, {len(wrong)} mistakes"
    print(f"{figure}; pictures in {said.to}")
    record("dashboards pixels", figure, "0 mistakes", not wrong)
    return len(wrong)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Not among the findings."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _pictures(address: str, to: Path) -> list[str]:
    wrong: list[str] = []
    async with async_playwright() as play:
        where = needs("chromium", "chromium")
        browser = await play.chromium.launch(executable_path=where, args=list(FLAGS))
        page = await browser.new_page(viewport={"width": WIDTH, "height": 900})
        for uid in dashboards():
            wrong += [f"{uid}: {each}" for each in await _picture(page, address, uid, to)]
        await browser.close()
    return wrong


async def _picture(page: Page, address: str, uid: str, to: Path) -> list[str]:
    await page.goto(f"{address}/index.html?uid={uid}")
    body = page.locator("body[data-shown], body[data-wrong]")
    await body.wait_for(timeout=SHOWN_SECONDS * 1000)
    if refused := await body.get_attribute("data-wrong"):
        return [refused]
    await page.wait_for_timeout(
        1500
    )  # canvases are drawn, and measured again, after a frame or two
    await page.screenshot(path=to / f"{uid}.png", full_page=True)
    wrong = await page.locator(".wrong").all_inner_texts()
    for kind, inside in (("timeseries", "canvas"), ("table", "[role=gridcell], [role=cell]")):
        for panel in await page.locator(f"[data-kind={kind}]").all():
            title = (await panel.inner_text()).partition("\n")[0]
            if (
                not await panel.locator(inside).count()
                and "No data" not in await panel.inner_text()
            ):
                wrong.append(f"{title}: an empty {kind}")
    return wrong


def main() -> int:
    """0 where nothing is wrong."""
    said = _arguments()
    began = time.monotonic()
    try:
        if said.prometheus:
            wrong = [types(), data(said.prometheus, said), pixels(said.prometheus, said)]
        else:
            with tempfile.TemporaryDirectory() as name, prometheus(Path(name)) as it:
                wrong = [types(), data(it.url, said), pixels(it.url, said)]
    except subprocess.CalledProcessError as failed:
        print(f"error: {re.sub(r'[^ -~]', '?', str(failed))}", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
