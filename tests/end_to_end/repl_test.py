"""`alknet repl` on a terminal: completion, history, entries of several lines, and what happens while nobody types."""

import os
import pty
import re
import select
import termios
import time
import unittest

import program

UP, TAB, CONTROL_C, CONTROL_D = "\x1b[A", "\t", "\x03", "\x04"
LOCAL_FLAGS = 3  # in what tcgetattr gives
SECONDS = 60  # until what a test waits for counts as never shown
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()].|[=>])")


class Terminal:
    """A session of the REPL. What it shows is read up to a text that has to come."""

    def __init__(self, state):
        self.child, self.leader = pty.fork()
        if self.child == 0:
            environment = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
            os.execve(program.PROGRAM, [program.PROGRAM, "repl"], environment)
        self.shown = ""
        self.status = None

    def until(self, text):
        """What is shown up to `text` and with it."""
        deadline = time.monotonic() + SECONDS
        while (end := self.shown.find(text)) < 0:
            if not self.more(deadline):
                raise AssertionError(f"{text!r} does not come: {self.shown!r}")
        end += len(text)
        seen, self.shown = self.shown[:end], self.shown[end:]
        return seen

    def prompt(self, text="> "):
        """What is shown before the next prompt. The editor shows it before it takes the echo of keys upon itself."""
        seen = self.until(text).removesuffix(text)
        deadline = time.monotonic() + SECONDS
        while termios.tcgetattr(self.leader)[LOCAL_FLAGS] & termios.ICANON and time.monotonic() < deadline:
            os.sched_yield()
        return seen

    def more(self, deadline):
        """False when the session or the time is over."""
        ready, _, _ = select.select([self.leader], [], [], max(0, deadline - time.monotonic()))
        try:
            data = os.read(self.leader, 4096) if ready else b""
        except OSError:  # Linux says EIO when the other end is closed
            data = b""
        self.shown = ESCAPES.sub("", self.shown + data.decode()).replace("\r", "")
        return data != b""

    def type(self, keys):
        os.write(self.leader, keys.encode())

    def enter(self, keys="", prompt="> "):
        """Ends a line, and gives what it prints before the next prompt."""
        self.type(keys + "\r")
        self.until(keys + "\n")
        return self.prompt(prompt)

    def end(self):
        self.type(CONTROL_D)
        deadline = time.monotonic() + SECONDS
        while self.more(deadline):
            pass
        self.close()
        return self.status

    def close(self):
        if self.status is None:
            os.close(self.leader)  # a session that still reads is hung up on
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


class ReplTest(program.ProgramTest):
    def session(self):
        terminal = Terminal(self.folder)
        self.addCleanup(terminal.close)
        self.assertIn("alknet", terminal.prompt())
        return terminal

    def test_tab_completes_a_name(self):
        terminal = self.session()
        self.assertEqual(terminal.enter("const favouriteNumber = 41"), "")
        terminal.type("favour" + TAB)
        terminal.until("favouriteNumber")
        self.assertEqual(terminal.enter(" + 1"), "42\n")

    def test_tab_completes_a_member_and_lists_several(self):
        terminal = self.session()
        terminal.type("Math.hyp" + TAB)
        terminal.until("Math.hypot")
        self.assertEqual(terminal.enter("(3, 4)"), "5\n")
        terminal.type("Math.log" + TAB)
        self.assertIn("log  log10  log1p  log2", terminal.until("> Math.log"))
        self.assertEqual(terminal.enter("2(8)"), "3\n")

    def test_tab_completes_a_module(self):
        terminal = self.session()
        terminal.type('import { h } from "@alknet/ujs' + TAB)
        terminal.until("@alknet/ujsx")
        self.assertEqual(terminal.enter('"'), "")
        self.assertEqual(terminal.enter("h('p', null).type"), "'p'\n")

    def test_the_history_of_one_session_is_there_in_the_next(self):
        first = self.session()
        self.assertEqual(first.enter("6 * 7"), "42\n")
        self.assertEqual(first.enter("'later'"), "'later'\n")
        self.assertEqual(first.end(), 0)
        self.assertTrue((self.folder / "alknet" / "repl_history").is_file())

        second = self.session()
        second.type(UP)
        second.until("'later'")
        second.type(UP)
        second.until("6 * 7")
        self.assertEqual(second.enter(), "42\n")

    def test_an_open_bracket_goes_on_in_the_next_line(self):
        terminal = self.session()
        terminal.enter("[1,", "... ")
        terminal.enter("2", "... ")
        self.assertEqual(terminal.enter("].length"), "2\n")

        terminal.enter("({ never:", "... ")
        terminal.type(CONTROL_C)
        terminal.until("^C\n")
        terminal.prompt()
        self.assertEqual(terminal.enter("1 + 1"), "2\n", "the entry was given up")

    def test_timers_run_while_nobody_types(self):
        terminal = self.session()
        terminal.enter("void setTimeout(() => console.log('ti' + 'ck'), 1)")
        terminal.until("tick")


if __name__ == "__main__":
    unittest.main()
