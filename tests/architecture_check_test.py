#!/usr/bin/env python3
"""The architecture check finds what it is for: each test plants one violation in a small tree of its own."""

import pathlib
import tempfile
import unittest

import architecture_check

TABLE = """
layer alknet/base
layer alknet/schema base
layer alknet/gpu    base
layer apps/alknet   all
public alknet/base/json.h boost/json/*
"""

CLEAN = {
    "alknet/base/json.h": "#include <boost/json/value.hpp>\n#include <vector>\n",
    "alknet/base/json.cc": '#include "alknet/base/json.h"\n#include <nettle/sha2.h>\n',
    "alknet/schema/schema.h": '#pragma once\n#include "alknet/base/json.h"\n#include <sys/mman.h>\n',
    "alknet/schema/CMakeLists.txt": "alknet_layer(schema SOURCES a.cc PUBLIC alknet_base) # not alknet_gpu\n",
    "alknet/gpu/device.h": '#include "alknet/base/json.h"\n',
    "alknet/gpu/dawn.h": "#include <webgpu.h>\n",
    "alknet/gpu/dawn.cc": '#include "alknet/gpu/dawn.h"\n',
    "apps/alknet/main.cc": '#include "alknet/schema/schema.h"\n#include "alknet/gpu/device.h"\n#include <CLI/CLI.hpp>\n',
}


class ArchitectureCheck(unittest.TestCase):
    def violations(self, **changed):
        """The violations of the clean tree with some files replaced; a keyword's value is (path, text)."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in {"tests/layers.txt": TABLE, **CLEAN, **dict(changed.values())}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return list(architecture_check.violations(root))

    def assert_only(self, found, start, *parts):
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(start), found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_accepts_a_clean_tree(self):
        self.assertEqual(self.violations(), [])

    def test_refuses_an_include_that_the_table_lacks(self):
        found = self.violations(bad=("alknet/schema/bad.cc", '// why\n#include "alknet/gpu/device.h"\n'))
        self.assert_only(found, "alknet/schema/bad.cc:2:", "may not include alknet/gpu/device.h")

    def test_refuses_angle_brackets_around_a_forbidden_header(self):
        found = self.violations(bad=("alknet/schema/bad.cc", "  #  include <alknet/gpu/device.h>\n"))
        self.assert_only(found, "alknet/schema/bad.cc:1:", "may not include")

    def test_refuses_a_test_that_reaches_across(self):
        found = self.violations(bad=("alknet/base/deep/bad_test.cc", '#include "alknet/schema/schema.h"\n'))
        self.assert_only(found, "alknet/base/deep/bad_test.cc:1:", "alknet/schema")

    def test_refuses_a_layer_that_includes_a_program(self):
        found = self.violations(bad=("alknet/gpu/bad.cc", '#include "apps/alknet/main.h"\n'))
        self.assert_only(found, "alknet/gpu/bad.cc:1:", "apps/alknet")

    def test_refuses_relative_includes(self):
        found = self.violations(bad=("alknet/gpu/bad.cc", '#include "device.h"\n'))
        self.assert_only(found, "alknet/gpu/bad.cc:1:", "relative")
        found = self.violations(bad=("alknet/gpu/bad.cc", '#include "../schema/schema.h"\n'))
        self.assert_only(found, "alknet/gpu/bad.cc:1:", "relative")

    def test_refuses_a_folder_without_a_row(self):
        found = self.violations(bad=("alknet/misc/bad.h", ""))
        self.assert_only(found, "alknet/misc/bad.h:1:", "no row")

    def test_refuses_a_forbidden_link(self):
        found = self.violations(bad=("alknet/schema/CMakeLists.txt", "alknet_layer(schema\n  PRIVATE alknet_gpu)\n"))
        self.assert_only(found, "alknet/schema/CMakeLists.txt:2:", "may not link alknet_gpu")

    def test_refuses_a_third_party_header_in_a_public_one(self):
        found = self.violations(bad=("alknet/gpu/device.h", "#include <webgpu.h>\n"))
        self.assert_only(found, "alknet/gpu/device.h:1:", "webgpu.h")

    def test_sees_through_private_headers_that_public_ones_include(self):
        found = self.violations(bad=("alknet/gpu/device.h", '#include "alknet/gpu/dawn.h"\n'))
        self.assert_only(found, "alknet/gpu/dawn.h:1:", "webgpu.h")


if __name__ == "__main__":
    unittest.main()
