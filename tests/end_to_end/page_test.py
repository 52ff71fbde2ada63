"""The web page of the HTTP gateway in a real browser: reading about operations, calling them, watching them, by mouse
and by keyboard. The gateway is a stand-in, so that errors and hostile operations are at hand; see gateway_mock.py."""

import base64
import json
import os
import pathlib
import struct
import sys
import tempfile
import unittest

from browser import MISSING, Browser
from gateway_mock import Gateway
from gateway_specs import MARKUP, SPECS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = pathlib.Path(os.environ.get("ALKNET_PAGE_PICTURES", ROOT / "build" / "page-pictures"))

NAMES = "[...document.querySelectorAll('[role=option]')].map((one) => one.dataset.name)"  # of the operations listed

# Requests that the tests make fail are no fault of the page.
EXPECTED_LOG = ("Failed to load resource: the server responded with a status of 4",)


# Texts whose contrast with what is behind them is below 4.5, the AA level of WCAG 2.
CONTRASTS = """
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = (colour) => {
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = numbers(colour).map((part) => linear(part / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (one) => {
  const colour = getComputedStyle(one).backgroundColor;
  return numbers(colour)[3] === 0 && one.parentElement ? ground(one.parentElement) : colour;
};
const texts = [...document.querySelectorAll('body *')].filter((one) =>
  one.checkVisibility() && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''));
const below = texts.flatMap((one) => {
  const [a, b] = [luminance(getComputedStyle(one).color), luminance(ground(one))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  return ratio < 4.5 ? [`${one.tagName}.${one.className} ${ratio.toFixed(2)}`] : [];
});
return {looked: texts.length, below};
"""


def button(text):
    """A script that presses the button of that text."""
    return (
        f"[...document.querySelectorAll('main button')].find((one) => one.textContent === {json.dumps(text)}).click()"
    )


class PageSteps(unittest.TestCase):
    """What the tests do with the page."""

    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(Browser())

    def setUp(self):
        self.gateway = self.enterContext(self.serve())
        self.browser.resize(1280, 940)
        self.browser.prefer("light")
        self.browser.open("about:blank")
        self.browser.log()

    def tearDown(self):
        # Nothing went wrong in scripts and nothing was refused by the content security policy.
        said = [line for line in self.browser.log() if not any(known in line for known in EXPECTED_LOG)]
        self.browser.open("about:blank")
        self.assertEqual(said, [])

    def open(self, operation=""):
        self.browser.open(f"{self.gateway.address}#/{operation}")
        self.browser.until("document.querySelectorAll('[role=option]').length > 5")
        if operation:
            self.browser.find(".operation")

    def field(self, name, selector="input:not(.include), select, textarea"):
        """A selector of the control of the field of that name."""
        self.browser.until(
            "[...document.querySelectorAll('.field-name')].some((one) => one.textContent === name)", name=name
        )
        self.browser.script(
            "const [name, selector] = arguments;"
            "const names = [...document.querySelectorAll('.field-name')];"
            "const row = names.find((one) => one.textContent === name).closest('.field');"
            "document.querySelector('[data-test]')?.removeAttribute('data-test');"
            "[...row.querySelectorAll(selector)][0].setAttribute('data-test', '');",
            name,
            selector,
        )
        return "[data-test]"

    def names(self):
        return self.browser.value(NAMES)

    def status(self, text):
        self.browser.until("document.querySelector('.status').textContent.startsWith(text)", text=text)


@unittest.skipIf(MISSING, MISSING)
class PageTest(PageSteps):
    """With a stand-in for the gateway."""

    serve = Gateway

    def last_call(self):
        return self.gateway.state.calls[-1]

    # --- reading --------------------------------------------------------------------------------------------------

    def test_lists_all_operations_by_namespace_with_their_types(self):
        self.open()
        self.assertEqual(self.names(), sorted(item["name"] for item in SPECS))
        groups = self.browser.value(
            "[...document.querySelectorAll('[role=group]')].map((one) => one.getAttribute('aria-label'))"
        )
        self.assertEqual(groups, ["compute", "model/minilm", "node", "services", "tensor", "test"])
        types = self.browser.value("[...document.querySelectorAll('[role=option] .badge')].map((one) => one.title)")
        self.assertEqual(types.count("subscription"), 1)

    def test_searches_names_titles_descriptions_and_tags(self):
        self.open()
        for query, found in [
            ("embed", ["model/minilm/embed"]),
            ("LINEAR algebra", ["tensor/matmul"]),
            ("nothing like it", []),
        ]:
            self.browser.write("#search", query)
            self.browser.until(
                f"JSON.stringify({NAMES}) === found",
                found=json.dumps(found, separators=(",", ":")),
            )
        self.assertIn("Nothing found", self.browser.text(".sidebar"))

    def test_shows_what_an_operation_is(self):
        self.open("model/minilm/embed")
        shown = self.browser.text(".operation")
        for text in [
            "model/minilm/embed",
            "query",
            "Embed sentences",
            "384 numbers",
            "time limit 30000 ms",
            "1 to 64 items",
        ]:
            self.assertIn(text, shown)
        tree = self.browser.text(".reference")
        for text in ["sentences", "array of string", "required", "1 to 512 characters", 'default "mean"']:
            self.assertIn(text, tree)
        self.browser.script(
            "[...document.querySelectorAll('[role=tab]')].find((tab) => tab.textContent === 'Errors 2').click()"
        )
        self.assertIn("MODEL_NOT_LOADED", self.browser.text("[role=tabpanel]"))
        self.assertEqual(self.browser.value("document.title"), "model/minilm/embed · alknet")

    def test_an_operation_that_is_not_there_says_so(self):
        self.browser.open(f"{self.gateway.address}#/no/such")
        self.browser.until("document.querySelector('.error-code').textContent === 'NOT_FOUND'")

    # --- calling --------------------------------------------------------------------------------------------------

    def test_calls_with_what_the_form_holds_and_draws_vectors(self):
        self.open("model/minilm/embed")
        self.browser.script(button("Fill in the example"))
        self.browser.click("button.primary")
        self.status("OK · ")
        self.browser.until("document.querySelectorAll('.result .vector .sparkline polyline').length === 2")
        self.assertEqual(
            self.last_call()["input"],
            {"sentences": ["A cat sits on the mat.", "A feline rests on a rug."], "normalize": True},
        )
        result = self.browser.text(".result")
        self.assertIn('"all-MiniLM-L6-v2"', result)
        self.assertIn("384 numbers", result)
        self.assertEqual(
            self.browser.value("document.querySelectorAll('.result .json-index').length"), 2, "vectors are folded"
        )
        self.browser.click(".vector .facts")
        self.browser.until("document.querySelectorAll('.result .json-index').length === 2 + 50")

    def test_pictures_for_the_documentation(self):
        self.open("model/minilm/embed")
        self.browser.resize(1280, 1000)
        self.browser.script(button("Fill in the example"))
        self.browser.click("button.primary")
        self.browser.until("document.querySelectorAll('.result .vector').length === 2")
        self.browser.script("document.querySelector('main').scrollTop = 0; document.activeElement.blur()")
        for colours in ("light", "dark"):
            self.browser.prefer(colours)
            self.browser.screenshot(PICTURES / f"page-{colours}.png")

    def test_a_form_has_every_kind_of_value(self):
        self.open("test/kinds")
        upload = self.gateway_file("two.bin", b"\x00\xff")
        write = self.browser.write
        write(self.field("int8"), "-128")
        write(self.field("int64"), "9223372036854775807")
        write(self.field("float"), "NaN")
        self.browser.click(self.field("flag", ".switch"))
        self.browser.choose(self.field("colour", "select"), "green")
        write(self.field("text"), "apple")
        self.browser.choose(self.field("data", "select"), "a file")
        self.browser.upload(self.field("data", "input[type=file]"), upload)
        self.browser.until("document.querySelector('.bytes-field .note').textContent === 'two.bin, 2 bytes'")
        write(self.field("time"), "2026-01-31T12:00:00Z")
        self.browser.click(self.field("place", ".include"))
        write(self.field("lat"), "52.5")
        write(self.field("lon"), "13.4")
        write(self.field("sizes"), "1, 2 3")
        self.browser.click(self.field("scores", ".include"))
        self.browser.click(self.field("scores", ".add"))
        write(".entry-key", "a<b>")
        write(".entry .compact input", "7")
        self.browser.click(self.field("shape", ".include"))
        self.browser.choose(self.field("shape", "select"), "square")
        write(self.field("a"), "2")
        self.browser.click(self.field("either", ".include"))
        self.browser.choose(self.field("either", "select"), "string")
        write(self.field("either", "input[type=text]"), "s")
        write(self.field("any"), '{"x": [1]}')
        self.browser.click("button.primary")
        self.status("OK")
        self.assertEqual(
            self.last_call()["input"],
            {
                "int8": -128,
                "int64": "9223372036854775807",
                "float": "NaN",
                "flag": True,
                "colour": "green",
                "text": "apple",
                "data": "AP8=",
                "time": "2026-01-31T12:00:00Z",
                "scores": {"a<b>": 7},
                "place": {"lat": 52.5, "lon": 13.4},
                "sizes": [1, 2, 3],
                "shape": {"kind": "square", "a": 2},
                "either": "s",
                "any": {"x": [1]},
            },
        )

    def gateway_file(self, name, content):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = pathlib.Path(folder) / name
        path.write_bytes(content)
        return path

    def test_problems_are_said_at_the_field_before_anything_is_sent(self):
        self.open("test/kinds")
        self.browser.write(self.field("int8"), "128")
        self.browser.until("document.querySelector('.wrong .field-error').textContent === 'at most 127'")
        self.browser.write(self.field("int8"), "12")
        self.browser.until("document.querySelector('.wrong') === null")
        self.browser.write(self.field("int8"), "x")
        self.browser.click("button.primary")
        self.status("The input is not complete.")
        self.assertEqual(self.browser.value("document.activeElement.getAttribute('aria-invalid')"), "true")
        self.assertIn(
            "is no integer",
            self.browser.value(
                "document.activeElement.getAttribute('aria-describedby').split(' ')"
                ".map((id) => document.getElementById(id)?.textContent).join('')"
            ),
        )
        self.assertEqual(self.gateway.state.calls, [])

    def test_an_optional_field_that_is_emptied_is_left_out(self):
        self.open("node/metrics")
        sent = "document.querySelector('[aria-label=\"send count\"]').checked"
        self.assertFalse(self.browser.value(sent))
        self.browser.click(self.field("count"))
        self.browser.press("7")
        self.assertTrue(self.browser.value(sent))
        self.browser.press("Backspace")
        self.assertFalse(self.browser.value(sent))
        self.browser.script(button("JSON"))
        self.assertEqual(
            json.loads(self.browser.value("document.querySelector('.input-json').value")), {"every_ms": 20}
        )

    def test_what_the_form_holds_can_be_edited_as_json_and_back(self):
        self.open("node/metrics")
        self.browser.script(button("JSON"))
        self.assertEqual(
            json.loads(self.browser.value("document.querySelector('.input-json').value")), {"every_ms": 20}
        )
        self.browser.write(".input-json", '{"every_ms": 7, "count": 3}')
        self.browser.script(button("Form"))
        self.assertEqual(self.browser.value(f"document.querySelector('{self.field('count')}').value"), "3")
        self.browser.script(button("JSON"))
        self.browser.write(".input-json", "{")
        self.browser.click("button.primary")
        self.assertIn("This is no JSON", self.browser.text("main [role=alert]"))

    def test_an_error_has_code_message_and_violations_at_their_fields(self):
        self.open("test/fail")
        self.browser.write(self.field("y"), "5")
        self.browser.click("button.primary")
        self.browser.until("document.querySelector('.error-code').textContent === 'INVALID_INPUT'")
        self.assertIn("/x/y is too small", self.browser.text(".violations"))
        errors = self.browser.value(
            "[...document.querySelectorAll('.wrong > .field-error')].map((one) => one.textContent)"
        )
        self.assertEqual(sorted(errors), ["is too small", 'lacks "z"'])
        self.browser.screenshot(PICTURES / "page-error.png")

    def test_a_token_is_asked_for_and_kept_in_memory_only(self):
        self.open("node/restart")
        self.browser.click("button.primary")
        self.browser.until("document.querySelector('.error-code').textContent === 'FORBIDDEN'")
        self.browser.script(button("Enter a token"))
        self.browser.until("document.activeElement.id === 'token'")
        self.browser.press("secret", "Enter")
        self.browser.until("document.querySelector('dialog[open]') === null")
        self.browser.click("button.primary")
        self.status("OK")
        self.assertEqual(self.last_call()["token"], "Bearer secret")
        stored = self.browser.value(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
        )
        self.assertNotIn("secret", stored)

    def test_tensors_of_the_session_are_listed_and_picked_by_name(self):
        self.open("compute/create_tensor")
        self.browser.write(self.field("shape"), "2, 3")
        self.browser.choose(self.field("data", "select"), "numbers, f32")
        self.browser.write(self.field("data"), "1 2 3 4 5 6.5")
        self.browser.click("button.primary")
        self.browser.until("document.querySelector('.result .handle').textContent === 'h1 f32 [2, 3]'")
        sent = self.last_call()
        self.assertEqual(struct.unpack("<6f", base64.b64decode(sent["input"]["data"])), (1, 2, 3, 4, 5, 6.5))
        self.open("tensor/matmul")
        self.assertEqual(
            self.browser.value("[...document.querySelectorAll('#handle-list option')].map((one) => one.value)"), ["h1"]
        )
        self.browser.write(self.field("a"), "h1")
        self.browser.write(self.field("b"), "h1")
        self.browser.click("button.primary")
        self.browser.until("document.querySelector('.result .handle').textContent === 'h2 f32 [2, 3]'")
        self.assertEqual(self.last_call()["session"], sent["session"])
        self.browser.click(".bar button")
        self.browser.until("document.querySelectorAll('.handles b').length === 2")
        self.browser.script(
            "[...document.querySelectorAll('.handles button')].find((one) => one.textContent === 'dispose').click()"
        )
        self.browser.until("document.querySelectorAll('.handles b').length === 1")
        self.assertEqual(self.last_call()["input"]["handles"][0]["$tensor"], "h2")

    def test_a_call_that_is_stopped_hangs_up(self):
        self.open("node/wait")
        self.browser.click("button.primary")
        self.status("Calling")
        self.browser.press("Escape")
        self.status("Stopped")
        self.assertTrue(self.gateway.state.stopped.wait(20))

    def test_a_gateway_that_is_gone_is_an_error(self):
        self.open("test/kinds")
        self.browser.write(self.field("int8"), "1")
        self.browser.write(self.field("text"), "a")
        self.browser.devtools("Network.enable")
        self.browser.devtools(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
        try:
            self.browser.click("button.primary")
            self.browser.until("document.querySelector('.error-code').textContent === 'UNREACHABLE'")
        finally:
            self.browser.devtools(
                "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
            )
        self.assertTrue(any("ERR_INTERNET_DISCONNECTED" in line for line in self.browser.log()))

    def test_commands_are_copied(self):
        self.open("node/metrics")
        self.browser.devtools("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        self.browser.script(button("Copy alknet"))
        self.browser.until("[...document.querySelectorAll('main button')].some((one) => one.textContent === 'Copied')")
        copied = self.browser.devtools(
            "Runtime.evaluate", expression="navigator.clipboard.readText()", awaitPromise=True, userGesture=True
        )
        address = self.gateway.address.rstrip("/")
        self.assertEqual(
            copied["result"].get("value"), f"alknet call --stream {address} node/metrics '{{\"every_ms\":20}}'"
        )

    # --- subscriptions --------------------------------------------------------------------------------------------

    def test_a_subscription_is_live_until_it_is_stopped(self):
        self.open("node/metrics")
        self.browser.write(self.field("every_ms"), "5")
        self.browser.click("button.primary")
        self.status("Live")
        self.browser.until("parseInt(document.querySelector('.stream-facts').textContent) > 100")
        self.assertIn("a second", self.browser.text(".stream-facts"))
        self.assertEqual(self.browser.value("document.querySelectorAll('.stream-chart polyline').length"), 1)
        self.browser.screenshot(PICTURES / "page-live.png")
        self.browser.script(button("Stop"))
        self.status("Stopped")
        self.assertTrue(self.gateway.state.stopped.wait(20), "the gateway is told")
        self.assertLessEqual(self.browser.value("document.querySelectorAll('.stream-rows li').length"), 60)

    def test_a_subscription_ends_by_itself_or_with_an_error(self):
        self.open("node/metrics")
        self.browser.write(self.field("count"), "5")
        self.browser.click("button.primary")
        self.status("Completed")
        self.assertTrue(self.browser.text(".stream-facts").startswith("5 items"))
        self.assertIn('{"step":4,', self.browser.text(".stream-rows"))
        self.browser.write(self.field("count"), "99")
        self.browser.click("button.primary")
        self.status("Failed")
        self.assertIn("TIMEOUT", self.browser.text(".result"))
        self.assertTrue(self.browser.text(".stream-facts").startswith("13 items"))

    # --- looks and keys -------------------------------------------------------------------------------------------

    def test_colours_follow_the_system_until_the_user_chooses(self):
        ground = "getComputedStyle(document.body).backgroundColor"
        self.open()
        light = self.browser.value(ground)
        self.browser.prefer("dark")
        dark = self.browser.value(ground)
        self.assertNotEqual(light, dark)
        switch = "[aria-label^=Colours]"
        self.browser.click(switch)
        self.assertEqual(self.browser.value(ground), light)
        self.browser.click(switch)
        self.browser.prefer("light")
        self.assertEqual(self.browser.value(ground), dark)
        self.browser.open("about:blank")
        self.open()
        self.assertEqual(self.browser.value(ground), dark, "the choice is remembered")
        self.browser.click(switch)
        self.assertEqual(self.browser.value(ground), light)

    def test_everything_can_be_done_with_the_keyboard(self):
        self.open()
        press = self.browser.press
        press("/")
        self.assertEqual(self.browser.focused(), "search")
        press("node")
        self.browser.until("document.querySelectorAll('[role=option]').length === 3")
        press("ArrowDown", "j", "k", "ArrowDown", "ArrowUp")
        self.assertEqual(self.browser.focused(), "node/metrics")
        press("ArrowUp")
        self.assertEqual(self.browser.focused(), "search")
        press("Enter")
        self.browser.until("document.activeElement.matches('.field input')")
        self.assertEqual(self.browser.value("document.activeElement.value"), "20")
        press("Control+Enter")
        self.status("Live")
        press("Escape")
        self.status("Stopped")
        press("Escape")
        self.assertEqual(self.browser.focused(), "node/metrics")
        press("?")
        self.browser.until("document.querySelector('dialog[open]')")
        press("Escape")
        self.browser.until("document.querySelector('dialog[open]') === null")
        press("/", "Escape")
        self.browser.until("document.querySelectorAll('[role=option]').length > 5")
        press("ArrowDown")
        self.browser.until("document.activeElement.matches('[role=option]')")
        style = self.browser.value(
            "(({outlineStyle, outlineWidth}) => outlineStyle + outlineWidth)(getComputedStyle(document.activeElement))"
        )
        self.assertEqual(style, "solid2px", "the focus is visible")

    def test_tab_reaches_the_list_once_and_every_control_of_the_form(self):
        self.open("node/metrics")
        self.browser.script("document.querySelector('#search').focus()")
        reached = []
        for _ in range(9):
            self.browser.press("Tab")
            reached.append(
                self.browser.value("document.activeElement.className + ' ' + document.activeElement.tagName")
            )
        self.assertEqual(sum("current" in one for one in reached), 1, reached)
        self.assertTrue(any("primary" in one for one in reached), reached)

    def test_roles_and_names_are_there_for_screen_readers(self):
        self.open("test/kinds")
        self.browser.script("document.querySelectorAll('.include').forEach((box) => box.click())")
        unnamed = self.browser.value(
            "[...document.querySelectorAll('button, input, select, textarea, [role=group], dialog')].filter((one) =>"
            " !(one.labels?.length || one.ariaLabel || one.getAttribute('aria-labelledby') || one.textContent.trim()))"
            ".map((one) => one.outerHTML)"
        )
        self.assertEqual(unnamed, [])
        doubled = self.browser.value(
            "[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) < at)"
        )
        self.assertEqual(doubled, [])
        broken = self.browser.value(
            "[...document.querySelectorAll('[aria-labelledby], [aria-controls]')].flatMap((one) =>"
            " ['aria-labelledby', 'aria-controls'].map((name) => one.getAttribute(name)))"
            ".filter((id) => id && !document.getElementById(id))"
        )
        self.assertEqual(broken, [])

    def test_text_stands_out_from_its_ground_in_light_and_dark(self):
        self.open("test/fail")
        self.browser.write(self.field("y"), "5")
        self.browser.click("button.primary")
        self.browser.find(".violations")
        for colours in ("light", "dark"):
            self.browser.prefer(colours)
            low = self.browser.script(CONTRASTS)
            self.assertGreater(low["looked"], 40)
            self.assertEqual(low["below"], [], colours)

    def test_works_on_a_narrow_screen(self):
        self.browser.resize(360, 740)
        self.open()
        self.browser.screenshot(PICTURES / "page-narrow-list.png")
        self.browser.click("[data-name='model/minilm/embed']")
        self.browser.find(".operation")
        self.browser.script(button("Fill in the example"))
        self.browser.click("button.primary")
        self.status("OK")
        self.browser.screenshot(PICTURES / "page-narrow.png")
        overflow = "document.documentElement.scrollWidth > 360 || document.querySelector('main').scrollWidth > 360"
        self.assertFalse(self.browser.value(overflow))
        self.browser.script("document.querySelector('.back').click()")
        self.browser.until(
            "document.querySelector('.sidebar').offsetParent && !document.querySelector('main').offsetParent"
        )
        self.open("test/kinds")
        self.browser.script("document.querySelectorAll('.include').forEach((box) => box.click())")
        self.assertFalse(self.browser.value(overflow))

    # --- hostile operations ---------------------------------------------------------------------------------------

    def test_what_an_operation_says_about_itself_is_text(self):
        self.open("test/hostile")
        self.browser.script(
            "[...document.querySelectorAll('[role=tab]')].find((tab) => tab.textContent === 'Errors 1').click()"
        )
        self.browser.script("document.querySelectorAll('.include').forEach((box) => box.click())")
        self.browser.script(button("JSON"))
        self.browser.write(".input-json", "{}")
        self.browser.click("button.primary")
        self.status("OK")
        self.browser.script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        self.browser.until("document.querySelectorAll('.json-string').length >= 51")
        self.assertIn(MARKUP, self.browser.value("document.querySelector('main').textContent"))
        self.assertEqual(
            self.browser.value("document.querySelectorAll('main img, main script, main iframe').length"), 0
        )
        self.assertEqual(self.browser.value("document.title"), "test/hostile · alknet")

    def test_the_policy_lets_nothing_else_in(self):
        self.open()
        answer = self.browser.devtools(
            "Runtime.evaluate",
            awaitPromise=True,
            expression="fetch('http://127.0.0.1:1/').then(() => 'sent', () => 'refused')",
        )
        self.assertEqual(answer["result"]["value"], "refused")
        markup = self.browser.devtools(
            "Runtime.evaluate", expression="try { document.body.innerHTML = '<b>'; 'taken' } catch { 'refused' }"
        )
        self.assertEqual(markup["result"]["value"], "refused")
        self.assertTrue(any("Content Security Policy" in line for line in self.browser.log()))


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {MISSING}")
        sys.exit(77)
    unittest.main()
