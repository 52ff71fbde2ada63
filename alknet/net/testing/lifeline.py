"""Ends this process when the test that started it is gone: then its standard input ends."""

import os
import sys
import threading


def watch():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()
