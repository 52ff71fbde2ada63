#!/usr/bin/env python3
"""Compares operations with numpy.

    operations_reference.py PROGRAM [--device cpu] [--only NAME,...] [--list]

Each row of tests/operation_rows.py computes an operation in float64, independently of this project. The inputs are random, in
the domain that the op table names, in each dtype that the entry takes and numpy has; PROGRAM (alknet_operations)
computes the same as a plan. An operation of the table without a row is a failure, as is a row
without an operation.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: numpy is not installed")
    sys.exit(77)

import operation_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUMPY = {"bool": np.bool_, "i8": np.int8, "u8": np.uint8, "i32": np.int32, "u32": np.uint32, "i64": np.int64, "f16": np.float16, "f32": np.float32, "f64": np.float64}  # fmt: skip
GROUPS = {"all": list(NUMPY), "number": [d for d in NUMPY if d != "bool"], "float": ["f16", "f32", "f64"],
          "integer": ["i8", "u8", "i32", "u32", "i64"]}  # fmt: skip
EPSILON = {"f16": 2.0**-10, "f32": 2.0**-23, "f64": 2.0**-52}
# Rounding errors, in epsilons of the largest value met, that any of these small sums stays below.
ROUNDING = 64


def operations():
    return [entry for path in sorted((ROOT / "alknet" / "graph" / "ops").glob("*.json")) for entry in json.loads(path.read_text())]


def accepted(entry):
    dtypes = entry["dtypes"]
    return GROUPS[dtypes] if isinstance(dtypes, str) else [d for d in dtypes if d in NUMPY]


class Case:
    """One call: random inputs, the graph for the program, and what numpy says."""

    def __init__(self, op, row, call, dtype, generator):
        self.op, self.row, self.dtype = op, row, dtype
        self.attrs = {**{name: schema["default"] for name, schema in op.get("parameters", {}).items() if "default" in schema}, **call.attrs}
        self.inputs, refs, arrays = [], {}, {}
        for entry, given in zip(op["inputs"], call.inputs):
            name = entry["name"]
            if given is None:
                refs[name], arrays[name] = None, None
            elif isinstance(given, list):
                made = [self.random(entry, shape, dtype, generator) for shape in given]
                refs[name] = [self.declare(f"{name}{i}", array) for i, array in enumerate(made)]
                arrays[name] = [self.wide(array) for array in made]
            else:
                array = self.random(entry, given, dtype, generator)
                refs[name], arrays[name] = self.declare(name, array), self.wide(array)
        expected = row.reference(self.attrs, *arrays.values())
        self.expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
        self.largest = max([1.0] + [np.abs(a).max() for v in arrays.values() for a in (v if isinstance(v, list) else [v]) if a is not None and a.size and a.dtype.kind == "f"])
        outputs = [{"name": f"y{k}", "value": "node" if k == 0 else f"node:{k}"} for k in range(len(self.expected))]
        inputs = [{"name": name, "dtype": self.name_of(array), "shape": list(array.shape)} for name, array in self.inputs]
        node = {"id": "node", "op": op["name"], "inputs": refs, "attrs": call.attrs}
        self.graph = {"alknet_graph": 1, "inputs": inputs, "nodes": [node], "outputs": outputs}

    @staticmethod
    def name_of(array):
        return next(name for name, dtype in NUMPY.items() if array.dtype == dtype)

    @staticmethod
    def wide(array):
        return array.astype(np.float64) if array.dtype.kind == "f" else array.astype(np.int64) if array.dtype.kind in "iu" else array

    def declare(self, name, array):
        self.inputs.append((name, array))
        return name

    def random(self, entry, given, dtype, generator):
        if isinstance(given, operation_rows.Values):
            return np.asarray(given.values, NUMPY[given.dtype or dtype])
        shape = given
        low, high = -2, 2
        own = dtype if dtype in accepted(entry) else accepted(entry)[0]
        if not entry.get("promotes", True):
            own = accepted(entry)[0]
        domain = self.op["test"].get(entry["name"]) if isinstance(self.op["test"], dict) else None
        if isinstance(domain, list):
            low, high = domain
        if own == "bool":
            return generator.integers(0, 2, shape).astype(np.bool_)
        if NUMPY[own](0).dtype.kind in "iu":
            info = np.iinfo(NUMPY[own])
            return generator.integers(max(int(low), info.min), min(int(high), info.max), shape, endpoint=True).astype(NUMPY[own])
        return generator.uniform(low, high, shape).astype(NUMPY[own])

    def difference(self, result, data):
        if "error" in result:
            return f"{result['error']}: {result['message']}"
        for k, (output, expected) in enumerate(zip(result["outputs"], self.expected)):
            if output["dtype"] not in NUMPY:
                return f"the dtype {output['dtype']} has no reference"
            raw = data[output["offset"] : output["offset"] + output["bytes"]]
            got = np.frombuffer(raw, NUMPY[output["dtype"]]).reshape(output["shape"])
            expected = np.asarray(expected)
            if got.shape != expected.shape:
                return f"output {k} has the shape {got.shape}, not {expected.shape}"
            if got.dtype.kind == "f":
                finite = np.abs(expected[np.isfinite(expected)])
                scale = max(finite.max(initial=0), self.largest) if self.row.scale is None else self.row.scale
                allowed = (ROUNDING if self.row.rounding is None else self.row.rounding) * EPSILON[output["dtype"]] * scale
                with np.errstate(over="ignore", invalid="ignore"):
                    wanted = expected.astype(got.dtype)
                    off = ~((wanted == got) | (np.abs(got.astype(np.float64) - expected) <= allowed) | (np.isnan(wanted) & np.isnan(got)))
            else:
                off = got != expected.astype(got.dtype)
            if off.any():
                at = tuple(int(i) for i in np.argwhere(off)[0])
                return f"output {k}{list(at)} is {got[at]}, expected {expected[at]}"
        return None

    def __str__(self):
        shapes = ", ".join(f"{name} {self.name_of(array)}{list(array.shape)}" for name, array in self.inputs)
        return f"{self.op['name']}({shapes}; {self.graph['nodes'][0]['attrs']})"


def cases_of(op, row, device, generator):
    dtypes = row.dtypes or [d for d in ("f32", "f64", "f16", "i32", "i64", "bool") if all(d in accepted(e) for e in op["inputs"] if e.get("promotes", True))]
    if device != "cpu":
        dtypes = [d for d in dtypes if d not in ("f64",)]
    for dtype in dtypes or ["f32"]:
        for call in row.calls:
            yield Case(op, row, call, dtype, generator)


def run(program, device, cases):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        blob, documents = bytearray(), []
        for case in cases:
            offsets = []
            for _, array in case.inputs:
                offsets.append(len(blob))
                blob += np.ascontiguousarray(array).tobytes()
                blob += bytes(-len(blob) % 8)
            documents.append({"graph": case.graph, "offsets": offsets})
        (folder / "cases.json").write_text(json.dumps(documents))
        (folder / "inputs.bin").write_bytes(bytes(blob) + bytes(8))
        subprocess.run([program, "run", folder, "--device", device], check=True)
        return json.loads((folder / "results.json").read_text()), (folder / "outputs.bin").read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true", help="print operations without a row and stop")
    options = parser.parse_args()
    table = {op["name"]: op for op in operations()}
    rows = operation_rows.rows()
    missing = sorted(name for name in set(table) - set(rows) if not operation_rows.without_row(name))
    if options.list:
        print("\n".join(missing))
        return
    failures = [f"{name}: the op table has it, tests/operation_rows.py has no row" for name in missing]
    failures += [f"{name}: a row without an operation" for name in sorted((set(rows) | operation_rows.WITHOUT_ROW.keys()) - set(table))]
    wanted = set(options.only.split(",")) if options.only else set(rows)
    if options.only:
        failures = []
    generator = np.random.default_rng(1)
    with np.errstate(all="ignore"):
        cases = [case for name, row in rows.items() if name in wanted and name in table for case in cases_of(table[name], row, options.device, generator)]
    results, data = run(options.program, options.device, cases)
    for case, result in zip(cases, results):
        if options.device != "cpu" and result.get("error") == "unsupported":
            continue
        if difference := case.difference(result, data):
            failures.append(f"{case}: {difference}")
    print(f"{len(wanted)} operations, {len(cases)} calls on {options.device}, {len(failures)} failures")
    if failures:
        print("\n".join(failures[:40]))
        sys.exit(1)


if __name__ == "__main__":
    main()
