"""A headless Chromium that shows the page, and what is on it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER: Final = shutil.which("chromedriver")
NEEDS_BROWSER: Final = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="Chromium or its driver is not installed"
)
APPS: Final = 12
UNKNOWN: Final = "\N{EN DASH}"
COST, CHANGE, MESSAGES, TOKENS = 2, 3, 4, 6  # columns of the table
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
)


class Browser:
    """Opens pages, one at a time."""

    def __init__(self) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self._profile = tempfile.TemporaryDirectory(prefix="chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for flag in (*_FLAGS, f"--user-data-dir={self._profile.name}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def close(self) -> None:
        self.driver.quit()
        self._profile.cleanup()

    def open(self, url: str, width: int = 1280) -> None:
        self.driver.get("about:blank")
        self.complaints()
        self._size(width, 900)
        self.driver.get(url)

    def _size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def _devtools(self, command: str, arguments: dict[str, Any]) -> None:
        self.driver.execute_cdp_cmd(command, arguments)

    def prefer(self, scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._devtools("Emulation.setEmulatedMedia", {"features": [feature]})

    def picture(self, path: Path, width: int = 1280) -> None:
        """The whole page."""
        self._size(width, self.run("return document.documentElement.scrollHeight"))
        self.driver.save_screenshot(str(path))

    def find(self, selector: str) -> WebElement:
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return list(self.run(script, selector))

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: Callable[[], object]) -> None:
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        # An element may be replaced between finding and reading it.
        WebDriverWait(self.driver, 10, 0.02, [StaleElementReferenceException]).until(lambda _: condition())

    def complaints(self) -> list[str]:
        """New entries of the browser's console."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's
        return [entry["message"] for entry in entries if entry["level"] != "INFO"]

    def asked_urls(self) -> set[str]:
        """The URLs that the page has requested."""
        script = "return performance.getEntriesByType('resource').map((one) => one.name)"
        return {*self.run(script), self.driver.current_url}


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
