"""The page of one app in a real browser, its access, and how it looks."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from anyio.from_thread import BlockingPortal

from dify_async.testing import FakeDifyServer
from tests.support import an_app
from tests.web.browser import (
    APPS,
    NEEDS_BROWSER,
    Browser,
    names,
    query_of,
    wait_for_all,
)
from tests.web.support import served

pytestmark = [pytest.mark.slow, NEEDS_BROWSER]

MARKUP: Final = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
NAMES: Final = (
    MARKUP,
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    "مساعد الدعم",
    "a\x00b\x1b[31m",
    "&amp;",
    "x" * 40_000,
)
TOKEN: Final = "a-token-of-the-page"


def test_from_totals_to_a_message_and_back(page: Browser, console: FakeDifyServer) -> None:
    app = next(app for app in console.apps if app.mode == "chat" and app.messages_per_day)
    numbers = console.count("GET", "/apps/*/statistics/*")
    page.find(f"#apps [data-id='{app.id}'] td").click()  # anywhere in the row
    page.until(lambda: page.texts("#talks tbody tr"))
    assert query_of(page) == f"app={app.id}"
    assert page.find("#app-head h2").text == app.name
    assert page.driver.title.startswith(app.name)
    assert page.find("#app-head a").get_attribute("href") == f"{console.base_url}/app/{app.id}/overview"
    assert len(page.texts("#charts figure")) == 4
    assert page.find("#totals [data-name=cost_per_message_USD]").text
    assert not page.find("#all-apps").is_displayed()
    messages = f"/apps/{app.id}/chat-messages"
    assert console.count("GET", messages) == 0
    link = page.find("#talks tbody th a")
    name = link.text
    link.click()
    page.until(lambda: page.texts("#talks .messages li"))
    assert "tokens in" in page.find("#talks .messages li").text
    assert not page.find("#summary").is_displayed()
    assert console.count("GET", messages) == 1
    assert console.count("GET", f"/apps/{app.id}/chat-conversations/*") == 0  # it would be marked as read
    page.driver.back()
    page.until(lambda: name in page.texts("#talks tbody th a"))
    page.driver.back()
    page.until(lambda: page.find("#all-apps").is_displayed())
    # The numbers were there already, apart from the costs of the app's month.
    assert console.count("GET", "/apps/*/statistics/*") <= numbers + 1


def test_links_to_an_app_and_to_a_conversation(browser: Browser, url: str, console: FakeDifyServer) -> None:
    app = an_app(console)
    browser.open(f"{url}?days=7&app={app}")
    browser.until(lambda: browser.texts("#talks tbody tr"))
    assert console.count("GET", "/apps") == 0  # the other apps are not read
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
    assert not browser.find("#conversations").is_displayed()
    assert browser.complaints() == []


def test_texts_of_completions_and_runs_of_workflows(page: Browser, url: str, console: FakeDifyServer) -> None:
    page.open(f"{url}?app={an_app(console, 'completion')}")
    page.until(lambda: page.texts("#talks tbody tr"))
    page.find("#talks summary").click()
    assert page.find("#talks details .text").text
    workflow = next(app for app in console.apps if app.mode == "workflow" and app.messages_per_day)
    page.open(f"{url}?app={workflow.id}")
    page.until(lambda: page.texts("#talks tbody tr"))
    assert page.find("#conversations-title").text == "Latest runs"
    assert not page.find("#costs").is_displayed()  # Dify reports none


def test_today_is_drawn_as_unfinished(page: Browser, url: str, console: FakeDifyServer) -> None:
    app = an_app(console, "completion")
    today = datetime.now(UTC).astimezone(ZoneInfo(console.timezone)).date()
    rows = ",".join(
        f'{{"date":"{today - timedelta(days=back)}","message_count":{count}}}'
        for back, count in ((0, 20), (1, 100), (2, 100))
    )
    console.inject("/apps/*/statistics/daily-messages", body=f'{{"data":[{rows}]}}'.encode())
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


def test_automatic_refresh(page: Browser, url: str, console: FakeDifyServer) -> None:
    """Minutes pass in a hundredth of a second."""
    from selenium.webdriver.support.ui import Select

    quick = """
    const slow = setTimeout;
    globalThis.setTimeout = (run, delay) => slow(run, delay > 9000 ? delay / 6000 : delay);
    """
    page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": quick})
    page.open(f"{url}?days=7")
    wait_for_all(page)
    added = console.add_app("Added in the meantime", "chat")
    Select(page.find("#refresh")).select_by_visible_text("every minute")
    page.until(lambda: added.name in names(page))
    assert page.find("#status").text.startswith(f"{APPS + 1} apps")
    assert query_of(page) == "days=7&refresh=1"
    Select(page.find("#refresh")).select_by_visible_text("off")
    assert query_of(page) == "days=7"


@pytest.mark.parametrize(
    "name", NAMES, ids=["markup", "override", "right to left", "control", "entity", "40 KB"]
)
def test_names_are_not_parsed_as_html(browser: Browser, url: str, console: FakeDifyServer, name: str) -> None:
    app = console.add_app(name, "chat")
    for query in ("", f"?app={app.id}"):
        browser.open(url + query, width=400)
        wait_for_all(browser)
        shown = browser.texts(".name")
        assert name in shown or any(len(one) < 200 and name.startswith(one.rstrip("…")) for one in shown)
        assert browser.driver.title.endswith("Dify dashboard")
        assert browser.run("return document.querySelectorAll('main script, main img').length") == 0
        assert browser.run("return document.documentElement.scrollWidth") <= 400
    assert browser.complaints() == []


def test_a_page_with_a_token(browser: Browser, console: FakeDifyServer, portal: BlockingPortal) -> None:
    from selenium.webdriver.common.keys import Keys

    with portal.wrap_async_context_manager(served(console, token=TOKEN)) as url:
        browser.open(f"{url}/?days=7")
        browser.find("[name=token]").send_keys("a wrong token of it", Keys.ENTER)
        browser.until(lambda: browser.texts("#wrong") and browser.find("#wrong").is_displayed())
        browser.open(f"{url}/?days=7#token={TOKEN}")
        wait_for_all(browser)
        assert browser.driver.current_url == f"{url}/?days=7"
        browser.open(url)  # the browser keeps it
        wait_for_all(browser)


def test_screenshots(page: Browser, url: str, console: FakeDifyServer, tmp_path: Path) -> None:
    """Light, dark and small. Light and dark differ, and nothing is wider than the page."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    pictures = {}
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        for width in (1280, 400):
            for view, query in {"all": "", "app": f"?app={an_app(console)}"}.items():
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
    from selenium.webdriver.common.keys import Keys

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
