"""The main job as a stranger does it in a browser: find, choose a time, confirm the address, book."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


def choose_time(page: Page, number: int = 0) -> str:
    """Press one of the free times on a profile page; returns the instant it stands for."""
    slot = page.locator("button[name=starts]").nth(number)
    instant = slot.get_attribute("value")
    assert instant
    slot.click()
    return instant


def find_specialist(page: Page, name: str) -> None:
    """From the portal's home through the directory to a profile."""
    page.locator("main a[href='/specialists'], main a[href^='/specialists?']").first.click()
    page.wait_for_url("**/specialists*")
    page.locator("main").get_by_role("link", name=name).first.click()
    page.wait_for_url("**/specialists/*")


def submit(page: Page, form: str = "main form:has(:focus)") -> None:
    """Press the button of a form."""
    page.locator(f"{form} button[type=submit]").first.click()


def prove_address(page: Page, visitor: Any, email: str, name: str) -> None:
    """Give the address, enter the code of the mail, and say one's name where one is new."""
    page.fill("main input[name=email]", email)
    page.locator("main input[name=email]").press("Enter")
    page.wait_for_url("**/sign-in/code*")
    page.fill("main input[name=code]", visitor.code(email))
    page.locator("main input[name=code]").press("Enter")
    page.wait_for_url(lambda url: "/sign-in/code" not in url)
    if "/sign-in/name" in page.url:
        page.fill("main input[name=name]", name)
        for box in page.locator("main form input[type=checkbox]").all():
            box.check()
        page.locator("main input[name=name]").press("Enter")
        page.wait_for_url("**/book/*")


def give_details(page: Page, name: str) -> None:
    """Fill in who comes."""
    page.fill("main input[name=name]", name)
    page.fill("main [name=message]", "My knee hurts.")
    page.locator("main input[name=name]").press("Enter")
    page.wait_for_url("**/confirm")


def confirm(page: Page) -> None:
    """Agree to everything and book."""
    for box in page.locator("#confirm input[name=consent]").all():
        box.check()
    page.locator("#confirm button[type=submit]").last.click()
    page.wait_for_url("**/booked")
