"""`alknet serve` when the machine misbehaves: a log that takes no byte, a clock that is set back and forward."""

import email.utils
import json
import os
import struct
import time
import unittest

import serve_test
from serve_test import LEFT, SESSION, tensor

YEAR = 365 * 24 * 3600


class FullDiskTest(serve_test.ServeTest):
    def test_a_node_goes_on_when_its_log_cannot_be_written(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full here")
        node = self.node("--http", "127.0.0.1:0", "--log-level", "debug", "--allow", "compute", log="/dev/full")
        for _ in range(20):
            self.assertEqual(node.call("compute/devices")[0], 200)
        metrics = node.http("GET", "/metrics")[1]
        lost = [line for line in metrics.splitlines() if line.startswith("alknet_log_lines_lost ")]
        self.assertGreaterEqual(float(lost[0].split()[1]), 20)
        self.assertEqual(node.stop(), 0)


class ClockTest(serve_test.ServeTest):
    """The program reads a system clock that the test sets; the steady clock runs on."""

    def setUp(self):
        super().setUp()
        library = os.environ.get("ALKNET_SET_CLOCK")
        if library is None:
            self.skipTest("ALKNET_SET_CLOCK names no library to set the clock with; run this by ctest")
        self.offset = self.folder / "offset"
        self.set_clock(0)
        self.json("peer", "show")  # makes the configuration
        environment = {"LD_PRELOAD": library, "ALKNET_CLOCK_OFFSET": str(self.offset)}
        self.running = self.node("--http", "127.0.0.1:0", "--allow", "compute", environment=environment)

    def set_clock(self, seconds):
        with open(self.offset, "r+b" if self.offset.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def years_ahead(self):
        """How far the node's clock is ahead, by the Date of its answers."""
        connection = self.running.connect()
        self.addCleanup(connection.close)
        connection.request("GET", "/health")
        date = email.utils.parsedate_to_datetime(connection.getresponse().headers["Date"])
        return round((date.timestamp() - time.time()) / YEAR)

    def call_for_long(self, timeout_ms):
        """Reads a product that takes seconds to compute."""
        handle = self.running.call("tensor/ones", {"size": [3_072, 3_072]}, **SESSION)[1]["output"]
        handle = self.running.call("tensor/matmul", {"input": handle, "other": handle}, **SESSION)[1]["output"]
        asked = {"operation": "compute/read_tensor", "input": {"tensor": handle}, "timeout_ms": timeout_ms}
        return self.running.http("POST", "/call", asked, SESSION)[0]

    def test_jumps_of_the_clock_change_no_deadline_session_or_token(self):
        handle = self.running.call("compute/create_tensor", tensor(LEFT), **SESSION)[1]["output"]
        for number, years in enumerate((10, -10, 0)):
            self.set_clock(years * YEAR)
            self.assertEqual(self.years_ahead(), years)
            status, answer = self.running.call("compute/read_tensor", {"tensor": handle, "as": "values"}, **SESSION)
            self.assertEqual((status, answer["output"]["values"]), (200, LEFT))
            self.assertEqual(self.call_for_long(1), 504)
            self.assertEqual(self.call_for_long(60_000), 200)
            token = self.json("peer", "add", f"web{number}", "--token", "--scope", "compute")["token"]
            bearer = {"Authorization": f"Bearer {token}"}
            self.running.until(lambda: self.running.call("compute/devices", **bearer)[0] == 200)
        self.assertEqual(self.running.stop(), 0)


if __name__ == "__main__":
    unittest.main()
