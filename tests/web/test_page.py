"""The page of all apps in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from anyio.from_thread import BlockingPortal

from dify_async import Dashboard
from dify_async.testing import FakeDifyServer
from tests.support import client
from tests.web.browser import (
    APPS,
    CHANGE,
    COST,
    MESSAGES,
    NEEDS_BROWSER,
    TOKENS,
    UNKNOWN,
    Browser,
    choose,
    column,
    names,
    query_of,
    wait_for_all,
)

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]


def numbers_of(portal: BlockingPortal, console: FakeDifyServer, days: int = 30) -> Dashboard:
    async def get() -> Dashboard:
        async with client(console) as dify:
            return await dify.dashboard(days=days, compare=True)

    return portal.call(get)


def test_it_fills_as_answers_arrive(browser: Browser, url: str, console: FakeDifyServer) -> None:
    slow = console.inject(f"/apps/{console.apps[0].id}/*", delay=3600)
    browser.open(url)
    browser.until(lambda: browser.find("#status").text == f"{APPS - 1} of {APPS} apps")
    browser.until(lambda: len(names(browser)) == APPS - 1)
    browser.until(lambda: browser.texts("#totals .card .number"))
    assert browser.find("body").get_attribute("aria-busy") == "true"
    assert browser.find("#hint").text == "so far"
    assert browser.texts("#apps tfoot th") == [f"All {APPS - 1} apps so far"]
    assert browser.find("#spoken").text == "Loading the apps…"  # not each app
    slow.remove()
    browser.open(url)
    wait_for_all(browser)
    assert browser.find("body").get_attribute("aria-busy") is None
    assert browser.find("#hint").text == "changes compare complete days"
    assert browser.find("#demo").is_displayed()


def test_its_numbers_match_the_dashboard(
    page: Browser, console: FakeDifyServer, portal: BlockingPortal
) -> None:
    dashboard = numbers_of(portal, console)
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
    start, end = (f"{day:%b} {day.day}, {day.year}" for day in (first, last))
    assert page.find("#range").text == f"{start} to {end}, days in {console.timezone}"
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
    from selenium.webdriver.common.keys import Keys

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


def test_ranges(page: Browser, console: FakeDifyServer) -> None:
    from selenium.webdriver.support.ui import Select

    page.find("[value='7']").find_element("xpath", "..").click()
    today = datetime.now(UTC).astimezone(ZoneInfo(console.timezone)).date()
    page.until(lambda: page.find("#range").text.startswith(f"{today - timedelta(days=6):%b}"))
    wait_for_all(page)
    assert query_of(page) == "days=7"
    page.find("[value=custom]").find_element("xpath", "..").click()
    asked = console.count()
    choose(page, "start", "2026-03-03")
    for day in ("2026-03-01", "2027-03-04"):  # negative, and too long
        choose(page, "last", day)
        page.find("#custom button").click()
        assert page.run("return document.querySelector('[name=last]').validationMessage")
    assert console.count() == asked
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
    wanted = sum(app.mode == "completion" for app in console.apps)
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


def test_a_period_without_traffic(page: Browser, url: str, console: FakeDifyServer) -> None:
    console.inject("/apps/*/statistics/*", body=b'{"data":[]}')
    page.open(url)
    wait_for_all(page)
    assert page.find("#no-traffic").text == "No traffic in this period."
    assert not page.texts("#totals .card")
    assert not page.find("#by-day").is_displayed()
    assert all("No traffic in this period" in text for text in page.texts("#apps tbody .mode"))
    console.apps.clear()
    page.open(url)
    page.until(lambda: page.find("#status").text == "There are no apps here.")


def test_a_failing_app_shows_its_errors(page: Browser, console: FakeDifyServer) -> None:
    broken = next(app for app in console.apps if app.mode == "chat")
    console.inject(
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


def test_old_numbers_stay_if_the_server_fails(page: Browser, console: FakeDifyServer) -> None:
    """There is a button to try again only if that can help."""
    fault = console.inject("/apps", status=403, body=b'{"code":"forbidden","message":"Closed today."}')
    page.find("[value='90']").find_element("xpath", "..").click()
    page.until(lambda: page.find("#failure").is_displayed())
    text = page.find("#failure").text
    assert "not complete or not new" in text
    assert "Try again" not in text
    page.find("#failure summary").click()
    assert "Closed today." in page.find("#failure").text
    assert len(names(page)) == APPS
    fault.remove()
    fault = console.inject("/apps", status=500)
    page.find("[value='7']").find_element("xpath", "..").click()
    page.until(lambda: page.texts("#failure button"))
    fault.remove()
    page.find("#failure button").click()
    wait_for_all(page)
    assert not page.find("#failure").is_displayed()
