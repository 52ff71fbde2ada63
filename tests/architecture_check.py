#!/usr/bin/env python3
"""Checks the sources against the layer table in tests/layers.txt.

usage: architecture_check.py [CHECKOUT]

Prints one line for each violation, as FILE:LINE: what, why and the remedy, and exits with status 1 if there is any:

- a folder includes, or links in its CMakeLists.txt, a layer that its row does not name;
- an include of a project file by a relative path (it must read "alknet/layer/file.h");
- a folder under alknet/ or apps/ that has sources and no row;
- a public header that includes a third-party one, itself or through another header of ours.
"""

import fnmatch
import pathlib
import re
import sys

SOURCES = {".h", ".cc", ".c", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


class Table:
    """The parsed tests/layers.txt."""

    def __init__(self, path):
        self.may_use = {}  # folder -> set of folders, itself included
        self.public_extras = {}  # header -> patterns of third-party headers it may show
        for line in path.read_text().splitlines():
            words = line.split("#")[0].split()
            if not words:
                continue
            kind, name, rest = words[0], words[1], words[2:]
            if kind == "layer":
                self.may_use[name] = {name} | {f"alknet/{layer}" for layer in rest}
            elif kind == "public":
                self.public_extras.setdefault(name, set()).update(rest)
            else:
                raise SystemExit(f"{path}: unknown row '{line}': rows start with layer or public")
        folders = {f for f in self.may_use if f.startswith("alknet/")}
        for used in self.may_use.values():
            if "alknet/all" in used:
                used |= folders


def folder_of(path):
    """alknet/gpu of alknet/gpu/x/y.h; None for what is in no folder of ours."""
    parts = path.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 and parts[0] in ("alknet", "apps") else None


def is_third_party(bracket, name):
    """Standard headers are <vector>, <sys/mman.h> and the like; ours start with alknet/ or apps/."""
    if folder_of(name):
        return False
    if bracket == '"':
        return True
    posix = re.fullmatch(r"(sys|linux|netinet|arpa|net)/\w+\.h|(dlfcn|fcntl|unistd|poll|pthread|sched|signal|errno)\.h", name)
    return not posix and ("/" in name or "." in name)


class Source:
    """One file: its path from the checkout's root and its includes as (line, bracket, name)."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.folder = folder_of(self.path)
        self.includes = []
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                self.includes.append((number, match[1], match[2]))


def check_includes(table, source, sources):
    allowed = table.may_use.get(source.folder)
    if allowed is None:
        yield f"{source.path}:1: {source.folder} has no row in tests/layers.txt: add one, or move the file"
        return
    for number, bracket, name in source.includes:
        target = folder_of(name)
        if target is None:
            beside = (pathlib.PurePosixPath(source.path).parent / name).as_posix()
            if bracket == '"' and (beside in sources or ".." in name.split("/")):
                yield f'{source.path}:{number}: "{name}" is relative: write the path from the root, "alknet/layer/file.h"'
        elif target not in allowed:
            yield (f"{source.path}:{number}: {source.folder} may not include {name}: "
                   f"its row in tests/layers.txt lacks {target}")


def check_links(table, root):
    targets = {folder.replace("/", "_"): folder for folder in table.may_use if folder.startswith("alknet/")}
    for folder, allowed in table.may_use.items():
        for path in sorted((root / folder).rglob("CMakeLists.txt")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for word in re.findall(r"\balknet_\w+\b", line.split("#")[0]):
                    target = targets.get(word)
                    if target and target not in allowed:
                        yield (f"{path.relative_to(root).as_posix()}:{number}: {folder} may not link {word}: "
                               f"its row in tests/layers.txt lacks {target}")


def check_public_headers(table, sources):
    public = {name for source in sources.values() for _, _, name in source.includes
              if name in sources and sources[name].folder != source.folder}
    pending = sorted(public)
    while pending:  # what a public header includes of ours is as visible as itself
        for _, _, name in sources[pending.pop()].includes:
            if name in sources and name not in public:
                public.add(name)
                pending.append(name)
    for header in sorted(public):
        for number, bracket, name in sources[header].includes:
            allowed = any(fnmatch.fnmatch(name, extra) for extra in table.public_extras.get(header, ()))
            if is_third_party(bracket, name) and not allowed:
                yield (f"{header}:{number}: a header that other layers see shows {name}: "
                       "move it into a .cc file, or behind a forward declaration")


def violations(root):
    table = Table(root / "tests" / "layers.txt")
    sources = {}
    for top in ("alknet", "apps"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                source = Source(root, path)
                if source.folder:
                    sources[source.path] = source
    for source in sources.values():
        yield from check_includes(table, source, sources)
    yield from check_links(table, root)
    yield from check_public_headers(table, sources)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    found = list(violations(root))
    for line in found:
        print(line)
    print(f"architecture: {len(found)} violations" if found else "architecture: the layers hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
