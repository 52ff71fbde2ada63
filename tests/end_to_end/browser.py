"""A headless Chromium, driven over the W3C WebDriver protocol with the standard library alone."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
MISSING = (
    None if CHROMIUM and DRIVER else "the Debian packages chromium and chromium-driver are not installed (bin/setup)"
)

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of a reference to an element
KEYS = {
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Tab": "\ue004",
    "Control": "\ue009",
    "Shift": "\ue008",
    "Space": " ",
    "Backspace": "\ue003",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SECONDS = 20  # until a condition counts as never met

OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
]

# Asks each frame whether a condition holds; an exception in it counts as no.
UNTIL = """
const [condition, values, seconds] = arguments;
const done = arguments[arguments.length - 1];
const holds = new Function(...Object.keys(values), `return (${condition});`);
const end = performance.now() + 1000 * seconds;
(function look() {
  let value;
  try { value = holds(...Object.values(values)); } catch { value = undefined; }
  if (value) done(value);
  else if (performance.now() > end) done(null);
  else setTimeout(look, 10);
})();
"""


class Browser:
    """One window. A context manager; everything is gone at its end."""

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.driver = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.session = ""
        try:
            port = next(
                int(found[1])
                for line in self.driver.stdout
                if (found := re.search(r"started successfully on port (\d+)", line))
            )
            self.address = f"http://127.0.0.1:{port}"
            options = {"binary": CHROMIUM, "args": [*OPTIONS, f"--user-data-dir={self.profile.name}"]}
            asked = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            made = self.command("POST", "/session", {"capabilities": {"alwaysMatch": asked}})
            self.session = f"/session/{made['sessionId']}"
            self.command("POST", "/timeouts", {"script": 1000 * (SECONDS + 10)})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.session:
            self.command("DELETE", "")
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        self.profile.cleanup()

    def command(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.address + self.session + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with DIRECT.open(request, timeout=SECONDS + 40) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise AssertionError(f"{method} {path}: {value['error']}: {value['message']}") from None

    def open(self, address):
        self.command("POST", "/url", {"url": address})

    def resize(self, width, height):
        """Sets the size of the page itself, also below the least width of a window."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)

    def devtools(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def prefer(self, colours):
        """ "light" or "dark" is what the system asks for."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": colours}])

    def script(self, body, *arguments):
        return self.command("POST", "/execute/sync", {"script": body, "args": list(arguments)})

    def value(self, expression):
        return self.script(f"return ({expression});")

    def until(self, condition, **values):
        """Waits until a JavaScript expression holds and returns its value."""
        found = self.command("POST", "/execute/async", {"script": UNTIL, "args": [condition, values, SECONDS]})
        if found is None:
            page = self.value("document.body.innerText")
            raise AssertionError(f"after {SECONDS} s still not: {condition} {values or ''}\nthe page says:\n{page}")
        return found

    def find(self, selector):
        self.until("document.querySelector(selector)", selector=selector)
        found = self.command("POST", "/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector):
        element = self.find(selector)
        self.script(
            "arguments[0].scrollIntoView({block: 'center'})", {ELEMENT: element}
        )  # from under what sticks to an edge
        self.command("POST", f"/element/{element}/click", {})

    def write(self, selector, text):
        """Replaces the text of a field as a user would."""
        element = self.find(selector)
        self.command("POST", f"/element/{element}/clear", {})
        self.command("POST", f"/element/{element}/value", {"text": text})

    def upload(self, selector, path):
        self.command("POST", f"/element/{self.find(selector)}/value", {"text": str(path)})

    def choose(self, selector, label):
        """Picks the option of that label."""
        self.find(selector)
        self.script(
            "const [selector, label] = arguments; const select = document.querySelector(selector);"
            "select.value = [...select.options].find((option) => option.label === label).value;"
            "select.dispatchEvent(new Event('change', {bubbles: true}));",
            selector,
            label,
        )

    def press(self, *keys):
        """Presses keys one after the other; "Control+Enter" together. Other names are typed letter by letter."""
        actions = []
        for key in keys:
            together = key.split("+") if "+" in key else [key] if key in KEYS else list(key)
            if "+" in key:
                codes = [KEYS.get(part, part) for part in together]
                actions += [{"type": "keyDown", "value": code} for code in codes]
                actions += [{"type": "keyUp", "value": code} for code in reversed(codes)]
            else:
                for part in together:
                    code = KEYS.get(part, part)
                    actions += [{"type": "keyDown", "value": code}, {"type": "keyUp", "value": code}]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self, selector):
        return self.until(
            "document.querySelector(selector) && {text: document.querySelector(selector).innerText}", selector=selector
        )["text"]

    def focused(self):
        """What has the focus, in a word: its id, data-name, role or tag."""
        return self.value(
            "((e) => e.id || e.dataset.name || e.getAttribute('aria-label') || e.textContent)(document.activeElement)"
        )

    def screenshot(self, path):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.command("GET", "/screenshot")))

    def log(self):
        """What the console said since the last time: errors of scripts, refusals of the content security policy."""
        return [entry["message"] for entry in self.command("POST", "/se/log", {"type": "browser"})]
