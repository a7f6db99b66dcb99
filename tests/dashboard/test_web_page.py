"""The web page in a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from dify_async import Dashboard
from dify_async.testing import FakeDifyServer
from tests.dashboard.browser import CHROMIUM, DRIVER, Browser
from tests.support import client
from tests.test_examples import ROOT, python_path, settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="Chromium or its driver is not installed"),
]

MARKUP: Final = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
APPS: Final = 12
UNKNOWN: Final = "\N{EN DASH}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser()
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def _fake_of_all(portal: BlockingPortal) -> Iterator[FakeDifyServer]:
    serving: AbstractContextManager[FakeDifyServer] = portal.wrap_async_context_manager(
        FakeDifyServer(apps=APPS)
    )
    with serving as fake:
        yield fake


@pytest.fixture
def fake(_fake_of_all: FakeDifyServer) -> Iterator[FakeDifyServer]:
    """Without faults, with the same apps in each test."""
    yield _fake_of_all
    _fake_of_all.remove_faults()
    del _fake_of_all.apps[APPS:]


@pytest.fixture(scope="module")
def _url_of_all(_fake_of_all: FakeDifyServer) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-W", "error", "examples/web_dashboard", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path(), **settings(_fake_of_all)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "http://" in line)
            found = re.search(r"http://[\d.:]+", line)
            assert found is not None
            yield found[0]
        finally:
            process.kill()


@pytest.fixture
def url(_url_of_all: str, fake: FakeDifyServer) -> str:  # noqa: ARG001 - it is there first
    return _url_of_all


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Browser]:
    """The loaded page; afterwards, its console and its requests are checked."""
    browser.open(url)
    wait_for_all(browser)
    yield browser
    assert browser.complaints() == []
    assert {asked for asked in browser.asked_urls() if not asked.startswith(f"{url}/")} == set()


def wait_for_all(browser: Browser) -> None:
    browser.until(lambda: "as of" in browser.find("#status").text)


def names(browser: Browser) -> list[str]:
    return browser.texts("#apps tbody .name")


def column(browser: Browser, number: int) -> list[str]:
    return browser.texts(f"#apps tbody tr > :nth-child({number})")


def choose(browser: Browser, field: str, day: str) -> None:
    """Set a date by script: typing a date depends on the language."""
    script = """
    const field = document.querySelector(`[name=${arguments[0]}]`);
    field.value = arguments[1];
    field.dispatchEvent(new Event("change", { bubbles: true }));
    """
    browser.run(script, field, day)


def numbers_of(portal: BlockingPortal, fake: FakeDifyServer, days: int) -> Dashboard:
    async def get() -> Dashboard:
        async with client(fake) as dify:
            return await dify.dashboard(days=days, compare=True)

    return portal.call(get)


def test_it_fills_as_answers_arrive(browser: Browser, url: str, fake: FakeDifyServer) -> None:
    slow = fake.inject(f"/apps/{fake.apps[0].id}/*", delay=3600)
    browser.open(url)
    browser.until(lambda: browser.find("#status").text == f"{APPS - 1} of {APPS} apps")
    browser.until(lambda: len(names(browser)) == APPS - 1)
    browser.until(lambda: browser.texts("#totals .card .number"))
    assert browser.find("body").get_attribute("aria-busy") == "true"
    assert browser.find("#spoken").text == "Asking for the apps…"  # not each app
    slow.remove()
    browser.open(url)
    wait_for_all(browser)
    assert browser.find("body").get_attribute("aria-busy") is None


def test_its_numbers_match_the_dashboard(page: Browser, fake: FakeDifyServer, portal: BlockingPortal) -> None:
    dashboard = numbers_of(portal, fake, 30)
    messages = dashboard.totals["daily_messages"]
    card = page.find("#totals [data-name=daily_messages]").text
    assert f"{messages.total:,}" in card
    assert messages.change is not None
    assert messages.change.relative is not None
    assert f"{messages.change.relative:+.0%}".lstrip("+-") in card
    shown = dict(zip(names(page), column(page, 5), strict=True))
    for app in dashboard.apps:
        assert shown[app.app_name] == f"{app.series['tokens'].total:,}"
    label = page.find("[data-name=tokens] [role=img]").get_attribute("aria-label")
    assert label is not None
    assert f"in all {dashboard.totals['tokens'].total:,}, at most" in label
    first, last = dashboard.period.days[0], dashboard.period.days[-1]
    assert page.find("#range").text == (
        f"{first:%b} {first.day}, {first.year} to {last:%b} {last.day}, {last.year}, days of {fake.timezone}"
    )


def test_sorting_and_filtering(page: Browser) -> None:
    assert page.find("[data-key=tokens]").find_element("xpath", "..").get_attribute("aria-sort") == (
        "descending"
    )
    tokens = [int(text.replace(",", "")) for text in column(page, 5) if text != UNKNOWN]
    assert tokens == sorted(tokens, reverse=True)
    for order in (sorted(names(page), key=str.lower), sorted(names(page), key=str.lower, reverse=True)):
        page.find("[data-key=name]").send_keys(Keys.ENTER)  # by keyboard
        shown = [name for name in names(page) if name.isascii()]
        assert shown == [name for name in order if name.isascii()]
    messages = page.find("[data-key=daily_messages]")
    for _ in range(2):
        messages.click()
        known = column(page, 3)
        assert known[-1] == UNKNOWN  # unknown values come last in both directions
    page.find("#filter").send_keys("workFLOW")
    assert set(column(page, 2)) == {"workflow"}
    assert f"of {APPS} apps match" in page.find("#errors").text
    page.find("#filter").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert len(names(page)) == APPS


def test_ranges(page: Browser, fake: FakeDifyServer) -> None:
    page.find("[value='7']").find_element("xpath", "..").click()
    wait_for_all(page)
    today = datetime.now(UTC).astimezone(ZoneInfo(fake.timezone)).date()
    page.until(lambda: page.find("#range").text.startswith(f"{today - timedelta(days=6):%b}"))
    assert page.driver.current_url.endswith("?days=7")
    page.find("[value=custom]").find_element("xpath", "..").click()
    asked = fake.count()
    choose(page, "start", "2026-03-03")
    for day in ("2026-03-01", "2027-03-04"):  # negative, and too long
        choose(page, "last", day)
        page.find("#custom button").click()
        assert page.run("return document.querySelector('[name=last]').validationMessage")
    assert fake.count() == asked
    choose(page, "last", "2026-03-04")
    page.find("#custom button").click()
    page.until(lambda: page.find("#range").text.startswith("Mar 3, 2026 to Mar 4, 2026"))
    wait_for_all(page)
    page.driver.refresh()  # the URL keeps it
    page.until(lambda: page.find("#range").text.startswith("Mar 3, 2026 to Mar 4, 2026"))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("start=2026-03-05&last=2026-03-01", "Choose 1 to 366 days; these are -3."),
        ("start=2020-01-01&last=2026-03-01", "Choose 1 to 366 days"),
        ("start=yesterday&last=2026-03-01", "This range cannot be shown: "),
    ],
)
def test_a_url_with_an_invalid_range(browser: Browser, url: str, query: str, reason: str) -> None:
    browser.open(f"{url}?{query}")
    browser.until(lambda: browser.find("#failure").is_displayed())
    assert reason in browser.find("#failure").text
    assert not browser.texts("#totals .card .number")  # nothing was requested
    browser.find("[name=days][value='7'] + span").click()
    wait_for_all(browser)


def test_modes(page: Browser, fake: FakeDifyServer) -> None:
    Select(page.find("[name=mode]")).select_by_visible_text("completion")
    wanted = sum(app.mode == "completion" for app in fake.apps)
    page.until(lambda: page.find("#status").text.startswith(f"{wanted} apps"))
    assert set(column(page, 2)) == {"completion"}
    assert page.find("#totals [data-name=average_response_time]").text
    assert page.driver.current_url.endswith("?days=30&mode=completion")


def test_a_failing_app_shows_its_errors(page: Browser, fake: FakeDifyServer) -> None:
    broken = next(app for app in fake.apps if app.mode == "chat")
    fake.inject(
        f"/apps/{broken.id}/statistics/daily-messages",
        status=403,
        body=b'{"code":"forbidden","message":"<b>"}',
    )
    page.driver.refresh()
    wait_for_all(page)
    assert "1 app could not be read in full" in page.find("#errors").text
    row = page.find(f"[data-id='{broken.id}']")
    assert row.find_element("css selector", ".name").text == broken.name
    summary = row.find_element("css selector", "summary")
    assert summary.text == "1 number failed"
    summary.click()
    assert "daily_messages: GET /apps/" in row.text
    assert "403 forbidden: <b>" in row.text
    # After a redraw, the error list is still open and focused.
    page.run("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    focused = page.driver.switch_to.active_element
    assert focused.tag_name == "summary"
    assert focused.find_element("xpath", "ancestor::tr").get_attribute("data-id") == broken.id
    page.find("[data-key=name]").click()
    assert page.find(f"[data-id='{broken.id}'] details").get_attribute("open")


def test_a_single_day_with_a_value_is_a_point(page: Browser, fake: FakeDifyServer) -> None:
    path = "/apps/*/statistics/average-response-time"
    fake.inject(path, body=b'{"data":[{"date":"2026-03-02","latency":5.0}]}')
    count = """
    const canvas = document.querySelector("[data-name=average_response_time] canvas");
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    const parts = [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16));
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
      found += parts.every((part, place) => data[at + place] === part);
    }
    return found;
    """
    address = page.driver.current_url.partition("?")[0]
    page.open(f"{address}?start=2026-03-01&last=2026-03-03&mode=completion")
    wait_for_all(page)
    page.until(lambda: page.run(count))
    assert page.find("[data-name=average_response_time] figcaption").text == "Response time, ms"


def test_old_numbers_stay_if_the_server_fails(page: Browser, fake: FakeDifyServer) -> None:
    fault = fake.inject("/apps", status=403, body=b'{"code":"forbidden","message":"Closed today."}')
    page.find("[value='90']").find_element("xpath", "..").click()
    page.until(lambda: page.find("#failure").is_displayed())
    assert "Closed today." in page.find("#failure").text
    assert "not complete or not new" in page.find("#failure").text
    assert len(names(page)) == APPS
    fault.remove()
    page.find("#failure button").click()
    wait_for_all(page)
    assert not page.find("#failure").is_displayed()


@pytest.mark.parametrize(
    "name",
    [MARKUP, "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe", "مساعد الدعم", "x" * 40_000, "a\x00b\x1b[31m", "&amp;"],
    ids=["markup", "override", "right to left", "40 KB", "control", "entity"],
)
def test_names_are_not_parsed_as_html(browser: Browser, url: str, fake: FakeDifyServer, name: str) -> None:
    fake.add_app(name, "chat")
    browser.open(url, width=400)
    wait_for_all(browser)
    shown = names(browser)
    assert name in shown or any(len(one) < 200 and name.startswith(one.rstrip("…")) for one in shown)
    assert browser.driver.title == "Dify dashboard"
    assert browser.run("return document.querySelectorAll('#apps script, #apps img').length") == 0
    assert browser.run("return document.documentElement.scrollWidth") <= 400
    assert browser.complaints() == []


def test_screenshots(page: Browser, url: str, tmp_path: Path) -> None:
    """Light, dark and small. Light and dark differ, and nothing is wider than the page."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    pictures = {}
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        for width in (1280, 400):
            page.open(url, width)
            wait_for_all(page)
            assert page.run("return document.documentElement.scrollWidth") <= width
            path = folder / f"web_dashboard_{scheme}_{width}.png"
            page.picture(path, width)
            pictures[scheme, width] = path.read_bytes()
    assert pictures["light", 1280] != pictures["dark", 1280]
    page.prefer("light")
    light = page.run("return getComputedStyle(document.body).backgroundColor")
    for _ in range(2):
        page.find("#theme").click()
    assert page.find("#theme").text == "Theme: dark"
    assert page.run("return getComputedStyle(document.body).backgroundColor") != light
    page.find("#theme").click()


def test_every_control_has_a_name(page: Browser) -> None:
    script = """
    return [...document.querySelectorAll('input, select, button, progress, table, fieldset, [role=region]')]
      .filter((one) => !one.closest('[hidden]'))
      .filter((one) => !(one.labels?.length || one.textContent.trim() || one.ariaLabel
                         || one.getAttribute('aria-labelledby') || one.caption))
      .map((one) => one.outerHTML)
    """
    assert page.run(script) == []
    # All controls can be reached by Tab.
    page.find("body").click()
    reached = set()
    for _ in range(40):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(page.run("return document.activeElement.id || document.activeElement.dataset.key || ''"))
    assert reached >= {"theme", "filter", "name", "tokens"}
