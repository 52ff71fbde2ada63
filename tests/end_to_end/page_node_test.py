"""The web page of a real node, `alknet serve`, in a real browser: tensors made, multiplied and read through forms;
sentences embedded; what the node refuses, shown."""

import json
import sys
import tempfile
import unittest

import program
from browser import MISSING
from page_test import PICTURES, PageSteps, button
from serve_test import Node


class ServedNode(Node):
    """A node with the model where it is installed, in a folder of its own."""

    def __init__(self):
        self.own_folder = tempfile.TemporaryDirectory()
        self.model = program.model_folder()
        models = ["--model", "minilm"] if self.model else []
        super().__init__(
            self.own_folder.name, "--http", "127.0.0.1:0", "--allow", "compute", "--allow", "model", *models
        )

    @property
    def address(self):
        return self.addresses["http"]

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.own_folder.cleanup()


@unittest.skipIf(MISSING, MISSING)
class PageOfANodeTest(PageSteps):
    serve = ServedNode

    def call_with(self, value):
        """Fills the input in as JSON and calls."""
        self.browser.script(button("JSON"))
        self.browser.write(".input-json", json.dumps(value))
        self.browser.click("button.primary")

    def handle(self):
        self.status("OK")
        return self.browser.text(".result .handle b")

    def make_tensor(self, values, shape):
        self.open("compute/create_tensor")
        self.call_with({"dtype": "f32", "shape": shape, "values": values})
        return self.handle()

    def test_multiplies_matrices_and_reads_the_product(self):
        first = self.make_tensor([[1, 2, 3], [4, 5, 6]], [2, 3])
        second = self.make_tensor([[1, 0], [0, 1], [1, 1]], [3, 2])
        self.open("tensor/matmul")
        self.browser.write(self.field("input"), first)
        self.browser.write(self.field("other"), first)
        self.browser.click("button.primary")
        self.browser.until("document.querySelector('.error-code').textContent === 'SHAPE_MISMATCH'")
        self.browser.write(self.field("other"), second)
        self.browser.click("button.primary")
        product = self.handle()
        self.assertIn("f32 [2, 2]", self.browser.text(".result"))
        self.open("compute/read_tensor")
        self.browser.write(self.field("tensor"), product)
        self.browser.click("button.primary")
        self.status("OK")
        self.assertIn("data as f32 [4, 5, 10, 11]", " ".join(self.browser.text(".result").split()))

    def test_embeds_sentences_and_draws_their_vectors(self):
        if self.gateway.model is None:
            self.skipTest("the model is not installed (alknet model pull)")
        self.open("model/minilm/embed")
        self.browser.resize(1280, 1000)
        self.call_with({"sentences": ["A cat sits on the mat.", "A feline rests on a rug."]})
        self.status("OK")
        self.browser.script(button("Form"))
        self.browser.until("document.querySelectorAll('.result .vector').length === 2")
        self.browser.script("document.querySelector('main').scrollTop = 0; document.activeElement.blur()")
        for colours in ("light", "dark"):
            self.browser.prefer(colours)
            self.browser.screenshot(PICTURES / f"page-{colours}.png")

    def test_violations_that_the_node_finds_are_listed(self):
        self.open("compute/create_tensor")
        self.browser.script(button("JSON"))
        self.browser.write(".input-json", '{"dtype": "f31", "shape": [-1]}')
        self.browser.click("button.primary")
        self.browser.until("document.querySelector('.error-code').textContent === 'INVALID_INPUT'")
        self.assertIn("/dtype", self.browser.text(".violations"))


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {MISSING}")
        sys.exit(77)
    PICTURES.mkdir(parents=True, exist_ok=True)
    unittest.main(verbosity=1)
