import pytest

from tests.integration.conftest import checkout as checkout
from tests.integration.conftest import environments as environments
from tests.integration.strict_s3 import strict_s3 as strict_s3

OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update")


@pytest.fixture
def browser():
    from playwright.sync_api import sync_playwright

    from tests.parts import program

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=[*OPTIONS, *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    return browser.new_page()
