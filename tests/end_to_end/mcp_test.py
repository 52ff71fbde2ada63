"""Runs mcp_test.mjs, the official SDK of the Model Context Protocol beside ours, or says why not."""

import os
import pathlib
import subprocess
import sys

NODE = os.environ.get("ALKNET_NODE", "")
MODULES = pathlib.Path(os.environ["ALKNET_NODE_MODULES"])

if not NODE or NODE.endswith("NOTFOUND"):
    print("skipped: Node is not installed")
    sys.exit(77)
if not (MODULES / "@modelcontextprotocol/sdk").exists():
    print("skipped: @modelcontextprotocol/sdk is not here; bin/setup installs it")
    sys.exit(77)
script = pathlib.Path(__file__).with_name("mcp_test.mjs")
sys.exit(subprocess.run([NODE, script, os.environ["ALKNET_IMPORTER_PEER"], MODULES], timeout=120).returncode)
