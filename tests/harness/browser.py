"""Headless Chromium by Selenium, that can reach 127.0.0.1 and nothing else."""
import os
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from harness.report import wait_for

__all__ = ['Browser', 'By', 'Keys', 'Select']

WIDE, NARROW, LARGE = (1280, 900), (360, 740), (1920, 1080)


class Browser:
    """One browser with a profile of its own; `script` says whether pages may run scripts."""

    def __init__(self, site, script=True):
        self.site = site
        self.profile = tempfile.mkdtemp(prefix='meridian-browser-')
        options = webdriver.ChromeOptions()
        options.binary_location = '/usr/bin/chromium'
        for argument in ('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
                         '--disable-dev-shm-usage', '--disable-background-networking',
                         '--disable-component-update', '--disable-sync', '--disable-extensions',
                         '--disable-default-apps', '--no-proxy-server', '--hide-scrollbars',
                         '--force-device-scale-factor=1', '--user-data-dir=' + self.profile,
                         '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'):
            options.add_argument(argument)
        if not script:
            options.add_experimental_option(
                'prefs', {'profile.managed_default_content_settings.javascript': 2})
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        environment = {'PATH': '/usr/bin:/bin', 'HOME': self.profile, 'TMPDIR': self.profile,
                       'XDG_CONFIG_HOME': self.profile, 'XDG_CACHE_HOME': self.profile}
        try:
            self.driver = webdriver.Chrome(
                service=Service('/usr/bin/chromedriver', env=environment,
                                log_path=os.path.join(self.profile, 'driver.log')),
                options=options)
        except BaseException:
            shutil.rmtree(self.profile, ignore_errors=True)
            raise
        self.driver.set_page_load_timeout(30)
        self.size(*WIDE)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def size(self, width, height):
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': False})

    def theme(self, name):
        """light or dark, as a user's system says."""
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {
            'features': [{'name': 'prefers-color-scheme', 'value': name}]})

    def open(self, path):
        self.driver.get(self.site.url + path)

    @property
    def path(self):
        return self.driver.current_url.replace(self.site.url, '', 1)

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, 'body').text

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def fill(self, **fields):
        """Types into fields by their name; chooses in lists."""
        for name, value in fields.items():
            field = self.one('main [name="%s"]' % name)
            if field.tag_name == 'select':
                Select(field).select_by_value(value)
            else:
                field.clear()
                field.send_keys(value)

    def follow(self, element):
        """Clicks what leads to another page, and waits until that has come."""
        page = self.one('html')
        element.click()
        wait_for(lambda: self._is_gone(page) and
                 self.script('return document.readyState') == 'complete', 15, 'the next page')

    def click(self, selector):
        self.follow(self.one(selector))

    @staticmethod
    def _is_gone(element):
        try:
            element.is_enabled()
            return False
        except WebDriverException:  # stale, or in words of its own while the page changes
            return True

    def press(self, text):
        """Presses the button or follows the link of that text in the page's main part."""
        for element in self.all('main button, main a, main input[type=submit]'):
            if element.text.strip() == text or element.get_attribute('value') == text:
                self.follow(element)
                return
        raise AssertionError('no button or link "%s" on %s' % (text, self.path))

    def sign_in(self, name, password):
        self.open('/accounts/login/')
        self.fill(username=name, password=password)
        self.click('main form button')

    def script(self, text, *args):
        return self.driver.execute_script(text, *args)

    def complaints(self):
        """What the console says that is no notice: refused by the policy, not found, thrown."""
        return [entry['message'] for entry in self.driver.get_log('browser')
                if entry['level'] in ('SEVERE', 'WARNING')]

    def picture(self, path):
        """The whole page as PNG."""
        height = self.script('return document.documentElement.scrollHeight')
        width = self.script('return window.innerWidth')
        self.size(width, min(max(height, 200), 6000))
        self.driver.save_screenshot(path)
        self.size(width, 900)
