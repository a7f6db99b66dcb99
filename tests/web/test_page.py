"""The page in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
from tests.support import an_app, client
from tests.web.browser import CHROMIUM, DRIVER, Browser
from tests.web.support import served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="Chromium or its driver is not installed"),
]

MARKUP: Final = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
NAMES: Final = (
    MARKUP,
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    "مساعد الدعم",
    "a\x00b\x1b[31m",
    "&amp;",
    "x" * 40_000,
)
APPS: Final = 12
TOKEN: Final = "a-token-of-the-page"
UNKNOWN: Final = "\N{EN DASH}"
COST, CHANGE, MESSAGES, TOKENS = 2, 3, 4, 6  # columns of the table


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
    with portal.wrap_async_context_manager(FakeDifyServer(apps=APPS)) as fake:
        yield fake


@pytest.fixture
def fake(_fake_of_all: FakeDifyServer) -> Iterator[FakeDifyServer]:
    """Without faults, with the same apps in each test."""
    apps = list(_fake_of_all.apps)
    _fake_of_all.reset_counters()
    yield _fake_of_all
    _fake_of_all.remove_faults()
    _fake_of_all.apps[:] = apps


@pytest.fixture(scope="module")
def _url_of_all(_fake_of_all: FakeDifyServer, portal: BlockingPortal) -> Iterator[str]:
    with portal.wrap_async_context_manager(served(_fake_of_all, demo=True)) as url:
        yield f"{url}/"


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
    assert {asked for asked in browser.asked_urls() if not asked.startswith(url)} == set()


def wait_for_all(browser: Browser) -> None:
    browser.until(lambda: "as of" in browser.find("#status").text)


def names(browser: Browser) -> list[str]:
    return browser.texts("#apps tbody .name")


def column(browser: Browser, number: int) -> list[str]:
    return browser.texts(f"#apps tbody tr > :nth-child({number})")


def query_of(browser: Browser) -> str:
    return browser.driver.current_url.partition("?")[2]


def choose(browser: Browser, field: str, day: str) -> None:
    """Set a date by script: typing a date depends on the language."""
    script = """
    const field = document.querySelector(`[name=${arguments[0]}]`);
    field.value = arguments[1];
    field.dispatchEvent(new Event("change", { bubbles: true }));
    """
    browser.run(script, field, day)


def numbers_of(portal: BlockingPortal, fake: FakeDifyServer, days: int = 30) -> Dashboard:
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
    assert browser.find("#so-far").is_displayed()
    assert browser.find("#apps tfoot th").text == f"All {APPS - 1} apps so far"
    assert browser.find("#spoken").text == "Loading the apps…"  # not each app
    slow.remove()
    browser.open(url)
    wait_for_all(browser)
    assert browser.find("body").get_attribute("aria-busy") is None
    assert not browser.find("#so-far").is_displayed()
    assert browser.find("#demo").is_displayed()


def test_its_numbers_match_the_dashboard(page: Browser, fake: FakeDifyServer, portal: BlockingPortal) -> None:
    dashboard = numbers_of(portal, fake)
    messages = dashboard.totals["daily_messages"]
    card = page.find("#totals [data-name=daily_messages]").text
    assert f"{messages.total:,}" in card
    assert messages.change is not None
    assert messages.change.relative is not None
    assert f"{messages.change.relative:+.0%}".lstrip("+-") in card
    tokens, changes = (dict(zip(names(page), column(page, one), strict=True)) for one in (TOKENS, CHANGE))
    for app in dashboard.apps:
        assert tokens[app.app_name] == f"{app.series['tokens'].total:,}"
        change = app.series.get("token_costs_USD", app.series["tokens"]).change
        if change is not None and change.relative is not None:
            assert f"{abs(change.relative):.0%}" in changes[app.app_name]
    total = page.texts("#apps tfoot td")
    assert total[TOKENS - 2] == f"{dashboard.totals['tokens'].total:,}"
    label = page.find("[data-name=tokens] [role=img]").get_attribute("aria-label")
    assert label is not None
    assert f"{dashboard.totals['tokens'].total:,} in total, at most" in label
    first, last = dashboard.period.days[0], dashboard.period.days[-1]
    assert page.find("#range").text == (
        f"{first:%b} {first.day}, {first.year} to {last:%b} {last.day}, {last.year}, days in {fake.timezone}"
    )
    # Shares add up to everything.
    shares = [int(text.rstrip("%")) for text in page.texts("#shares .bands li .number:not(.quiet)")]
    assert len(shares) == 6
    assert 97 <= sum(shares) <= 103
    page.until(lambda: "by the end of the month" in page.find("#month").text)


def test_four_charts_then_more(page: Browser) -> None:
    assert len(page.texts("#charts figure")) == 4
    assert page.texts("#charts figcaption")[0] == "Cost in USD"
    page.find("#more").click()
    page.until(lambda: len(page.texts("#charts figure")) > 4)
    assert query_of(page) == "charts=all"
    page.find("#more").click()
    assert len(page.texts("#charts figure")) == 4


def test_sorting_and_filtering(page: Browser) -> None:
    heading = page.find("[data-key=cost]").find_element("xpath", "..")
    assert heading.get_attribute("aria-sort") == "descending"
    costs = [float(text.split()[0]) for text in column(page, COST) if text != UNKNOWN]
    assert costs == sorted(costs, reverse=True)
    for order in (sorted(names(page), key=str.lower), sorted(names(page), key=str.lower, reverse=True)):
        page.find("[data-key=name]").send_keys(Keys.ENTER)  # by keyboard
        shown = [name for name in names(page) if name.isascii()]
        assert shown == [name for name in order if name.isascii()]
    messages = page.find("[data-key=daily_messages]")
    for _ in range(2):
        messages.click()
        assert column(page, MESSAGES)[-1] == UNKNOWN  # unknown values come last in both directions
    page.find("#filter").send_keys("workFLOW")
    assert set(page.texts("#apps tbody .mode")) <= {"workflow", "workflow · No traffic in this period"}
    assert f"of {APPS} apps match" in page.find("#errors").text
    sums = page.texts("#apps tfoot td")
    assert sums[TOKENS - 2] == f"{sum(int(text.replace(',', '')) for text in column(page, TOKENS)):,}"
    assert query_of(page) == "sort=daily_messages&filter=workFLOW"
    shown = names(page)
    page.driver.refresh()  # the address keeps both
    wait_for_all(page)
    assert names(page) == shown
    page.find("#filter").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert len(names(page)) == APPS


def test_ranges(page: Browser, fake: FakeDifyServer) -> None:
    page.find("[value='7']").find_element("xpath", "..").click()
    today = datetime.now(UTC).astimezone(ZoneInfo(fake.timezone)).date()
    page.until(lambda: page.find("#range").text.startswith(f"{today - timedelta(days=6):%b}"))
    wait_for_all(page)
    assert query_of(page) == "days=7"
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
    assert page.find("#refresh").get_attribute("disabled")
    page.driver.refresh()  # the address keeps it
    page.until(lambda: page.find("#range").text.startswith("Mar 3, 2026 to Mar 4, 2026"))
    page.driver.back()
    page.until(lambda: page.find("#range").text.startswith(f"{today - timedelta(days=6):%b}"))
    assert page.find("[value='7']").is_selected()
    page.until(lambda: page.run("return document.querySelector('#export').href.endsWith('.csv?days=7')"))
    Select(page.find("[name=mode]")).select_by_visible_text("completion")
    wanted = sum(app.mode == "completion" for app in fake.apps)
    page.until(lambda: page.find("#status").text.startswith(f"{wanted} apps"))
    assert query_of(page) == "days=7&mode=completion"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("start=2026-03-05&last=2026-03-01", "Choose 1 to 366 days; these are -3."),
        ("start=2020-01-01&last=2026-03-01", "Choose 1 to 366 days"),
        ("start=yesterday&last=2026-03-01", "This range cannot be shown."),
    ],
)
def test_an_address_with_an_invalid_range(browser: Browser, url: str, query: str, reason: str) -> None:
    browser.open(f"{url}?{query}")
    browser.until(lambda: browser.find("#failure").is_displayed())
    assert reason in browser.find("#failure").text
    assert "Try again" not in browser.find("#failure").text
    assert not browser.texts("#totals .card .number")  # nothing was requested
    browser.find("[name=days][value='7'] + span").click()
    wait_for_all(browser)
    assert not browser.find("#failure").is_displayed()


def test_from_totals_to_a_message_and_back(page: Browser, fake: FakeDifyServer) -> None:
    app = next(app for app in fake.apps if app.mode == "chat" and app.messages_per_day)
    numbers = fake.count("GET", "/apps/*/statistics/*")
    page.find(f"#apps [data-id='{app.id}'] td").click()  # anywhere in the row
    page.until(lambda: page.texts("#talks tbody tr"))
    assert query_of(page) == f"app={app.id}"
    assert page.find("#app-head h2").text == app.name
    assert page.driver.title.startswith(app.name)
    assert page.find("#app-head a").get_attribute("href") == f"{fake.base_url}/app/{app.id}/overview"
    assert len(page.texts("#charts figure")) == 4
    assert page.find("#totals [data-name=cost_per_message_USD]").text
    assert not page.find("#all-apps").is_displayed()
    messages = f"/apps/{app.id}/chat-messages"
    assert fake.count("GET", messages) == 0
    link = page.find("#talks tbody th a")
    name = link.text
    link.click()
    page.until(lambda: page.texts("#talks .messages li"))
    assert "tokens in" in page.find("#talks .messages li").text
    assert not page.find("#summary").is_displayed()
    assert fake.count("GET", messages) == 1
    assert fake.count("GET", f"/apps/{app.id}/chat-conversations/*") == 0  # it would be marked as read
    page.driver.back()
    page.until(lambda: name in page.texts("#talks tbody th a"))
    page.driver.back()
    page.until(lambda: page.find("#all-apps").is_displayed())
    # The numbers were there already, apart from the costs of the app's month.
    assert fake.count("GET", "/apps/*/statistics/*") <= numbers + 1


def test_links_to_an_app_and_to_a_conversation(browser: Browser, url: str, fake: FakeDifyServer) -> None:
    app = an_app(fake)
    browser.open(f"{url}?days=7&app={app}")
    browser.until(lambda: browser.texts("#talks tbody tr"))
    assert fake.count("GET", "/apps") == 0  # the other apps are not read
    browser.find("#talks tbody th a").click()
    browser.until(lambda: browser.texts("#talks .messages li"))
    browser.driver.refresh()
    browser.until(lambda: browser.texts("#talks .messages li"))
    browser.find("#crumbs a").click()
    browser.until(lambda: len(names(browser)) == APPS)
    assert query_of(browser) == "days=7"
    browser.open(f"{url}?app=00000000-0000-4000-8000-000000000000")
    browser.until(lambda: browser.texts("#app-head .banner"))
    assert "no longer exists in Dify" in browser.find("#app-head .banner").text
    assert not browser.texts("#app-head .banner button")


def test_texts_of_completions_and_runs_of_workflows(page: Browser, url: str, fake: FakeDifyServer) -> None:
    page.open(f"{url}?app={an_app(fake, 'completion')}")
    page.until(lambda: page.texts("#talks tbody tr"))
    page.find("#talks summary").click()
    assert page.find("#talks details .text").text
    workflow = next(app for app in fake.apps if app.mode == "workflow" and app.messages_per_day)
    page.open(f"{url}?app={workflow.id}")
    page.until(lambda: page.texts("#talks tbody tr"))
    assert page.find("#conversations-title").text == "Latest runs"
    assert not page.find("#costs").is_displayed()  # Dify reports none


def test_today_is_drawn_as_unfinished(page: Browser, url: str, fake: FakeDifyServer) -> None:
    app = an_app(fake, "completion")
    today = datetime.now(UTC).astimezone(ZoneInfo(fake.timezone)).date()
    rows = ",".join(
        f'{{"date":"{today - timedelta(days=back)}","message_count":{count}}}'
        for back, count in ((0, 20), (1, 100), (2, 100))
    )
    fake.inject("/apps/*/statistics/daily-messages", body=f'{{"data":[{rows}]}}'.encode())
    page.open(f"{url}?days=7&app={app}")
    wait_for_all(page)
    page.run("document.querySelector('[data-name=daily_messages]').scrollIntoView()")
    script = """
    const over = document.querySelector("[data-name=daily_messages] .u-over");
    const { right, top } = over.getBoundingClientRect();
    const place = { clientX: right - 1, clientY: top + 9, bubbles: true };
    over.dispatchEvent(new MouseEvent("mouseenter", place));
    over.dispatchEvent(new MouseEvent("mousemove", place));
    """
    page.run(script)
    page.until(lambda: page.find("[data-name=daily_messages] .readout").text.endswith(" so far: 20"))


def test_a_period_without_traffic(page: Browser, url: str, fake: FakeDifyServer) -> None:
    fake.inject("/apps/*/statistics/*", body=b'{"data":[]}')
    page.open(url)
    wait_for_all(page)
    assert page.find("#no-traffic").text == "No traffic in this period."
    assert not page.texts("#totals .card")
    assert not page.find("#by-day").is_displayed()
    assert all("No traffic in this period" in text for text in page.texts("#apps tbody .mode"))
    fake.apps.clear()
    page.open(url)
    page.until(lambda: page.find("#status").text == "There are no apps here.")


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
    row = page.find(f"#apps [data-id='{broken.id}']")
    assert row.find_element("css selector", ".name").text == broken.name
    summary = row.find_element("css selector", "summary")
    assert summary.text == "1 number failed"
    summary.click()
    assert "Ask an owner of the workspace to make it an editor." in row.text
    assert "403 forbidden: <b>" in row.text
    # After a redraw, the error list is still open and focused.
    page.run("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    focused = page.driver.switch_to.active_element
    assert focused.tag_name == "summary"
    assert focused.find_element("xpath", "ancestor::tr").get_attribute("data-id") == broken.id
    page.find("[data-key=name]").click()
    assert page.find(f"#apps [data-id='{broken.id}'] details").get_attribute("open")


def test_old_numbers_stay_if_the_server_fails(page: Browser, fake: FakeDifyServer) -> None:
    """There is a button to try again only if that can help."""
    fault = fake.inject("/apps", status=403, body=b'{"code":"forbidden","message":"Closed today."}')
    page.find("[value='90']").find_element("xpath", "..").click()
    page.until(lambda: page.find("#failure").is_displayed())
    text = page.find("#failure").text
    assert "not complete or not new" in text
    assert "Try again" not in text
    page.find("#failure summary").click()
    assert "Closed today." in page.find("#failure").text
    assert len(names(page)) == APPS
    fault.remove()
    fault = fake.inject("/apps", status=500)
    page.find("[value='7']").find_element("xpath", "..").click()
    page.until(lambda: page.texts("#failure button"))
    fault.remove()
    page.find("#failure button").click()
    wait_for_all(page)
    assert not page.find("#failure").is_displayed()


def test_automatic_refresh(page: Browser, url: str, fake: FakeDifyServer) -> None:
    """Minutes pass in a hundredth of a second."""
    quick = """
    const slow = setTimeout;
    globalThis.setTimeout = (run, delay) => slow(run, delay > 9000 ? delay / 6000 : delay);
    """
    page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": quick})
    page.open(f"{url}?days=7")
    wait_for_all(page)
    added = fake.add_app("Added in the meantime", "chat")
    Select(page.find("#refresh")).select_by_visible_text("every minute")
    page.until(lambda: added.name in names(page))
    assert page.find("#status").text.startswith(f"{APPS + 1} apps")
    assert query_of(page) == "days=7&refresh=1"
    Select(page.find("#refresh")).select_by_visible_text("off")
    assert query_of(page) == "days=7"


@pytest.mark.parametrize(
    "name", NAMES, ids=["markup", "override", "right to left", "control", "entity", "40 KB"]
)
def test_names_are_not_parsed_as_html(browser: Browser, url: str, fake: FakeDifyServer, name: str) -> None:
    app = fake.add_app(name, "chat")
    for query in ("", f"?app={app.id}"):
        browser.open(url + query, width=400)
        wait_for_all(browser)
        shown = browser.texts(".name")
        assert name in shown or any(len(one) < 200 and name.startswith(one.rstrip("…")) for one in shown)
        assert browser.driver.title.endswith("Dify dashboard")
        assert browser.run("return document.querySelectorAll('main script, main img').length") == 0
        assert browser.run("return document.documentElement.scrollWidth") <= 400
    assert browser.complaints() == []


def test_a_page_with_a_token(browser: Browser, fake: FakeDifyServer, portal: BlockingPortal) -> None:
    with portal.wrap_async_context_manager(served(fake, token=TOKEN)) as url:
        browser.open(f"{url}/?days=7")
        browser.find("[name=token]").send_keys("a wrong token of it", Keys.ENTER)
        browser.until(lambda: browser.texts("#wrong") and browser.find("#wrong").is_displayed())
        browser.open(f"{url}/?days=7#token={TOKEN}")
        wait_for_all(browser)
        assert browser.driver.current_url == f"{url}/?days=7"
        browser.open(url)  # the browser keeps it
        wait_for_all(browser)


def test_screenshots(page: Browser, url: str, fake: FakeDifyServer, tmp_path: Path) -> None:
    """Light, dark and small. Light and dark differ, and nothing is wider than the page."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    pictures = {}
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        for width in (1280, 400):
            for view, query in {"all": "", "app": f"?app={an_app(fake)}"}.items():
                page.open(url + query, width)
                wait_for_all(page)
                page.until(lambda: page.texts("#month .card"))
                assert page.run("return document.documentElement.scrollWidth") <= width
                path = folder / f"page_{view}_{scheme}_{width}.png"
                page.picture(path, width)
                pictures[scheme, width] = path.read_bytes()
    assert pictures["light", 1280] != pictures["dark", 1280]
    # At 400 pixels, the app, its cost and its change are in view.
    page.prefer("light")
    page.open(url, 400)
    wait_for_all(page)
    edge = "return document.querySelector('#apps thead th:nth-child(3)').getBoundingClientRect().right"
    assert page.run(edge) <= 400
    light = page.run("return getComputedStyle(document.body).backgroundColor")
    for _ in range(2):
        page.find("#theme").click()
    assert page.find("#theme").text == "Theme: dark"
    assert page.run("return getComputedStyle(document.body).backgroundColor") != light
    page.find("#theme").click()


def test_every_control_has_a_name(page: Browser) -> None:
    script = """
    const controls = 'a, input, select, button, progress, meter, table, fieldset, [role=region]';
    return [...document.querySelectorAll(controls)]
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
        focused = (
            "const { id, dataset } = document.activeElement; return id || dataset.key || dataset.id || ''"
        )
        reached.add(page.run(focused))
    assert reached >= {"refresh", "theme", "more", "filter", "export", "name", "cost"}
