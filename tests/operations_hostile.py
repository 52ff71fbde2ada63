#!/usr/bin/env python3
"""Calls every operation with attributes, shapes and graphs that make no sense or are far too large.

    operations_hostile.py PROGRAM [--device cpu] [--only NAME,...] [--count N] [--seed N] [--verbose]

PROGRAM (alknet_operations) answers one case after the other. Each answer must be an error of alknet with a message, or
the result that numpy gives (tests/operation_rows.py), where numpy takes the call and the result is small. A crash, an
answer that takes longer than the limit, or more memory than the limit is a failure; the program is then started anew.
The cases are valid calls of operation_rows.py with sizes of 0 and ranks of 0; the same with one or two places replaced
from tables of nasty values; and the documents of tests/hostile_graphs.json. The same seed gives the same cases.
"""

import argparse
import base64
import json
import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import warnings

try:
    import numpy as np
except ImportError:
    print("skipped: numpy is not installed")
    sys.exit(77)

import operation_rows
import operations_reference as reference

SECONDS = 10  # an answer may take on a busy machine
MEMORY = 4 << 30  # address space of the program
SMALL = 100_000  # elements of a result that is compared

INTEGERS = [0, 1, -1, 2, 3, -2, 5, 7, 31, 32, 33, 64, 255, 256, 4097, 65536, 2**31 - 1, 2**31, -(2**31), 2**32, 2**32 + 1, 2**40, 2**53 + 1,
            2**62, -(2**62), 2**63 - 1, -(2**63), 2**63, 2**64 - 1]  # fmt: skip
NUMBERS = [0.5, -0.5, 1.5, 1e-300, 1e300, -1e300, 1e308, 5e-324, 1e19, -1e19, 3.4e38, 65504.0, *INTEGERS]
TEXTS = ["", "same", "valid", "inf", "nan", "-inf", "mean", "batch", "2**3", "1//0", "9223372036854775807+1", "99999999999999999999", "-1", "(" * 3000,
         "x" * 100_000, "i64", "bool", "f16", "\u0000", "\ud83d\ude00"]  # fmt: skip
EQUATIONS = ["", "->", ",", "...", "....", "..", "i->", "->i", "i->ii", "i->j", "ij->ijk", "ii->ii", "i,i,i,i", ",,,,", "ij,jk->", "ij,jk->ik->i", "a" * 100, "a" * 32,
             "a" * 33 + "->a", ",".join(["a"] * 5000), "...i->i...", "......", "i...j...", "1", "é", "ij jk", "->->", "ab-c", "-", ">", "abcdefghijklmnopqrstuvwxyz" * 4]  # fmt: skip
JUNK = [None, True, False, {}, [], [[]], [None], "x", {"scalar": 1}]
# Small in memory: no elements, or few.
SHAPES = [(), (0,), (1,), (2,), (3,), (5,), (0, 3), (3, 0), (1, 1), (2, 3), (3, 3), (4, 5), (1, 0, 1), (2, 3, 4), (1, 2, 3, 4), (2, 2, 2, 2, 2), (0, 2**31), (2**31, 0),
          (0, 2**62), (2**40, 0, 2**40), (0, 2**63 - 1), (1,) * 32, (1,) * 33, (2,) * 12, (0,) * 33, (4099,), (1, 4099)]  # fmt: skip
# Of a value that is expanded from few elements.
EXPANDED = [(2**31,), (2**31 + 1, 1), (2**40,), (2**20, 2**20), (2**62,), (2**31, 2**31), (2**40, 2**40), (2**63 - 1,), (3, 2**33), (2**33, 3), (1, 1, 2**35, 1)]


def reads_all(op):
    """Whether an operation reads all of an operand however small the result is: that takes time by right."""
    return op["kind"] == "reduction" or op["name"].startswith(("adaptive_", "scatter", "index_add", "index_put"))


class Answerer:
    """The program, started when needed, within limits."""

    def __init__(self, program, device):
        self.command = [program, "answer", "--device", device]
        self.memory = MEMORY if device == "cpu" else 4 * MEMORY
        self.process = None

    def limit(self):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        # A program with sanitizers reserves address space without end: give it hard_rss_limit_mb.
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard) if os.environ.get("ASAN_OPTIONS") else (self.memory, self.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def ask(self, case):
        """The answer, or what went wrong as a text."""
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=self.limit)
            self.buffer = b""
        try:
            self.process.stdin.write(json.dumps(case).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.stop("did not start")
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], SECONDS)[0]:
                return self.stop(f"no answer in {SECONDS} s")
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                return self.stop("crashed")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def stop(self, problem):
        self.process.kill()
        said = self.process.communicate()[1].decode(errors="replace")
        status = self.process.returncode
        self.process = None
        last = said.strip().split("\n")[-1][:300]
        lines = [line for line in said.split("\n") if "runtime error" in line or "ERROR: " in line or "what():" in line or " #" in line][:8]
        name = signal.Signals(-status).name if status < 0 and problem == "crashed" else ""
        return " ".join([problem, name, *(lines or [last])])


def pick(generator, values):
    return values[int(generator.integers(len(values)))]


def nasty(schema, generator):
    """A value for a parameter: mostly of a type that its schema names."""
    if generator.random() < 0.08:
        return pick(generator, JUNK)
    if "enum" in schema:
        return pick(generator, [*schema["enum"], *TEXTS])
    kind = schema.get("type", "integer")
    kind = pick(generator, kind) if isinstance(kind, list) else kind
    if kind == "integer":
        return pick(generator, INTEGERS)
    if kind == "number":
        return pick(generator, NUMBERS)
    if kind == "boolean":
        return bool(generator.integers(2))
    if kind == "null":
        return None
    if kind == "string":
        return pick(generator, TEXTS)
    length = pick(generator, [0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 33, 200])
    few = generator.random() < 0.5  # mostly sizes that go together
    return [pick(generator, INTEGERS[:9]) if few and generator.random() < 0.8 else nasty(schema.get("items", {"type": "integer"}), generator) for _ in range(length)]


def dtypes_of(op, row):
    return row.dtypes or [d for d in ("f32", "i64", "f16", "bool", "i32", "f64") if all(d in reference.accepted(e) for e in op["inputs"] if e.get("promotes", True))] or ["f32"]


def mutated(op, row, generator):
    """A valid call with one or two places replaced: the case, and the reference Case where there is one."""
    call = pick(generator, row.calls)
    inputs, attrs = list(call.inputs), dict(call.attrs)
    parameters = op.get("parameters", {})
    for _ in range(int(generator.integers(1, 3))):
        if parameters and generator.random() < 0.75:
            name = pick(generator, sorted(parameters))
            attrs[name] = pick(generator, EQUATIONS) if name == "equation" else nasty(parameters[name], generator)
        elif inputs:
            i = int(generator.integers(len(inputs)))
            if isinstance(inputs[i], list):
                inputs[i] = [pick(generator, SHAPES) if generator.random() < 0.4 else each for each in inputs[i]] * int(generator.integers(0, 3))
            elif isinstance(inputs[i], operation_rows.Values):
                values = np.array(inputs[i].values)
                values = values.reshape(-1)[: int(generator.integers(1, values.size + 1))] if generator.random() < 0.5 and values.size else values
                if values.dtype.kind in "iu" and inputs[i].dtype in ("i64", None) and generator.random() < 0.7:
                    values = np.resize([v for v in INTEGERS if -(2**63) <= v < 2**63], values.shape)[::-1].copy()
                inputs[i] = operation_rows.Values(values, inputs[i].dtype)
            else:
                inputs[i] = None if generator.random() < 0.1 else pick(generator, SHAPES)
    return operation_rows.Call(*inputs, **attrs), pick(generator, dtypes_of(op, row))


class Unchecked:
    """Stands for a row whose reference cannot be asked."""

    def __init__(self, row):
        self.calls, self.dtypes, self.rounding, self.scale = row.calls, row.dtypes, row.rounding, row.scale

    @staticmethod
    def reference(attrs, *arrays):
        return []


def case_of(op, row, call, dtype, generator):
    """A Case whose empty inputs may have sizes and ranks that numpy does not take."""
    shapes = {}

    def plain(name, given):
        if isinstance(given, tuple) and (len(given) > 32 or (0 in given and max(given) > SMALL)):
            shapes[name] = list(given)
            return (0,) if 0 in given else (1,)
        return given

    inputs = []
    for entry, given in zip(op["inputs"], call.inputs):
        name = entry["name"]
        inputs.append([plain(f"{name}{i}", each) for i, each in enumerate(given)] if isinstance(given, list) else plain(name, given))
    case = reference.Case(op, Unchecked(row), operation_rows.Call(*inputs, **call.attrs), dtype, generator)
    for declared in case.graph["inputs"]:
        declared["shape"] = shapes.get(declared["name"], declared["shape"])
    case.comparable = not shapes
    case.call = call
    return case


def expanded(op, row, generator):
    """A valid call whose operands are views of few elements that stand for very many; nothing is to be read of them all."""
    call, dtype = mutated(op, row, generator) if generator.random() < 0.3 else (pick(generator, row.calls), dtypes_of(op, row)[0])
    case = case_of(op, row, call, dtype, generator)
    inputs = [each for each in case.graph["inputs"]]
    if not inputs:
        return None
    for target in inputs:
        if generator.random() < 0.3:
            continue
        shape = pick(generator, EXPANDED)
        target["shape"] = [1] * min(len(shape), 3)
        name = target["name"] + "_expanded"
        case.graph["nodes"].insert(0, {"id": name, "op": "expand", "inputs": {"input": target["name"]}, "attrs": {"size": list(shape)}})
        for key, ref in case.graph["nodes"][-1]["inputs"].items():
            if ref == target["name"]:
                case.graph["nodes"][-1]["inputs"][key] = name
            elif isinstance(ref, list):
                case.graph["nodes"][-1]["inputs"][key] = [name if each == target["name"] else each for each in ref]
    return case


def degenerate(row):
    """Valid calls whose inputs all have rank 0, or with each of their sizes replaced by 0 wherever it occurs."""
    for call in row.calls[:2]:
        shapes = [shape for given in call.inputs for shape in (given if isinstance(given, list) else [given]) if isinstance(shape, tuple)]

        def replaced(change):
            def of(given):
                return [of(each) for each in given] if isinstance(given, list) else change(given) if isinstance(given, tuple) else given

            return operation_rows.Call(*map(of, call.inputs), **call.attrs)

        for size in sorted({size for shape in shapes for size in shape if size > 0}):
            yield replaced(lambda shape: tuple(0 if each == size else each for each in shape))
        if any(shapes):
            yield replaced(lambda shape: ())


def document(case):
    sizes = {"bool": 1, "i8": 1, "u8": 1, "f16": 2, "f32": 4, "i32": 4, "u32": 4, "i64": 8, "f64": 8}
    data = []
    for declared, (_, array) in zip(case.graph["inputs"], case.inputs):
        count = int(np.prod(declared["shape"], dtype=object))
        raw = np.ascontiguousarray(array).tobytes()
        wanted = count * sizes[declared["dtype"]]
        data.append(base64.b64encode(raw[:wanted].ljust(wanted, b"\1")).decode())
    graph = dict(case.graph, outputs=case.graph["outputs"] or [{"name": "y0", "value": "node"}])
    return {"graph": graph, "inputs": data}


def has_reference(row, case):
    """Whether the row's reference knows these attributes, and their numbers fit the dtype."""
    if case.op["name"] in UNCOMPARED:
        return False
    largest = {"f16": 6e4, "f32": 1e38}.get(case.dtype, 1e300)
    for name, value in case.graph["nodes"][-1]["attrs"].items():
        if value == case.op["parameters"][name].get("default", NotImplemented):
            continue
        known = [call.attrs.get(name) for call in row.calls]
        if not any(type(each) is type(value) and (not isinstance(value, list) or len(each) == len(value)) for each in known):
            return False
        if isinstance(value, (int, float)) and value != 0 and not 1 / largest < abs(value) < largest:
            return False
    ranks = [tuple(len(each) if isinstance(each, tuple) else -1 for each in call.inputs) for call in row.calls]
    if case.op["inputs"] and tuple(len(each) if isinstance(each, tuple) else -1 for each in case.call.inputs) not in ranks:
        return False
    return all(case.name_of(array) != "f16" for _, array in case.inputs) or case.dtype == "f16"


def compare(op, row, case, answer):
    """What is wrong with a result, by numpy; None also where numpy does not take the call."""
    if any(int(np.prod(output["shape"], dtype=object)) > SMALL for output in answer["outputs"]):
        return None
    if not has_reference(row, case) or any(output["dtype"] not in reference.NUMPY for output in answer["outputs"]):
        return None
    arrays = []
    by_name = dict(case.inputs)
    for entry in op["inputs"]:
        ref = case.graph["nodes"][-1]["inputs"].get(entry["name"])
        arrays.append([case.wide(by_name[r]) for r in ref] if isinstance(ref, list) else None if ref is None else case.wide(by_name[ref]))
    try:
        expected = row.reference(case.attrs, *arrays)
    except Exception:  # numpy refuses: not every call has a reference
        return None
    expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    case.row = row
    case.expected = expected
    data, outputs = bytearray(), []
    for output in answer["outputs"]:
        raw = base64.b64decode(output["data"])
        outputs.append({**output, "offset": len(data), "bytes": len(raw)})
        data += raw
    largest = max([np.abs(np.asarray(e, dtype=np.float64)).max(initial=0) for e in expected if np.asarray(e).dtype.kind in "iuf"], default=0)
    if not largest < 1e15:  # rounding and wrapping differ, as they may
        return None
    return case.difference({"outputs": outputs}, bytes(data))


# What their references do not say for every call: words of random numbers, NaN where a bound is above another, ...
UNCOMPARED = {"cast", "avg_pool1d", "avg_pool2d", "avg_pool3d", "unfold", "random_words", "rand", "randint", "randperm", "bernoulli", "logit", "logcumsumexp"}

# Errors that say that alknet is at fault, or that nobody thought of the case.
UNFIT = {"internal", "unexpected"}


def large_graphs():
    """Documents that are too long to lie in a file."""
    x = {"name": "x", "dtype": "f32", "shape": [2]}

    def graph(nodes, value, **more):
        return {"alknet_graph": 1, "inputs": [x], "nodes": nodes, "outputs": [{"name": "y", "value": value}], **more}

    def node(k, op="neg", **inputs):
        return {"id": f"n{k}", "op": op, "inputs": inputs or {"input": f"n{k - 1}" if k else "x"}, "attrs": {}}

    name = "x" * 100_000
    yield "a chain of 20000 nodes", graph([node(k) for k in range(20_000)], "n19999")
    yield "a chain of 20000 nodes, backwards", graph([node(k) for k in reversed(range(20_000))], "n19999")
    yield "a ring of 20000 nodes", graph([node(k, input=f"n{(k + 1) % 20_000}") for k in range(20_000)], "n0")
    yield "a sum of 2^60 equal terms", graph([node(0), *[node(k, "add", input=f"n{k - 1}", other=f"n{k - 1}") for k in range(1, 61)]], "n60")
    yield "5000 wrong nodes", graph([node(k, "nge") for k in range(5000)], "n0")
    yield "a list of 20000 operands", graph([node(0, "cat", tensors=["x"] * 20_000)], "n0")
    yield "a name of 100000 letters", {**graph([node(0, input=name)], "n0"), "inputs": [dict(x, name=name)]}
    yield "a text that is nested 10000 times", graph([dict(node(0), attrs={"a": [0]})], "n0", extra="[" * 10_000)
    nested = []
    for _ in range(200):
        nested = [nested]
    yield "lists in lists", graph([dict(node(0), attrs={"a": nested})], "n0")


def judge(answer):
    """What is wrong with an answer, or None."""
    if isinstance(answer, str):
        return answer
    if "error" not in answer:
        return None
    if answer["error"] in UNFIT or len(answer["message"]) < 10:
        return f"{answer['error']}: {answer['message'][:300]}"
    if len(answer["message"]) > 3000:
        return f"{answer['error']} with a message of {len(answer['message'])} characters: {answer['message'][:100]}..."
    return None


def shown(value):
    text = json.dumps(value)
    return text if len(text) < 400 else text[:400] + "..."


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", default="")
    parser.add_argument("--count", type=int, default=12, help="calls of each operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print every case before it is asked")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # numpy's, on means of nothing
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    table = {op["name"]: op for op in reference.operations()}
    rows = operation_rows.rows()
    wanted = [name for name in (options.only.split(",") if options.only else sorted(rows)) if name in table]
    answerer = Answerer(options.program, options.device)
    failures, cases, refused, compared = [], 0, 0, 0

    def ask(text, made, op=None, row=None, case=None):
        nonlocal cases, refused, compared
        if options.verbose:
            print(text[:1000], flush=True)
        answer = answerer.ask(made)
        cases += 1
        problem = judge(answer)
        if problem is None and "error" in answer:
            refused += 1
        elif problem is None and row is not None:
            problem = compare(op, row, case, answer)
            compared += 1
        if options.verbose:
            print("   ", problem or shown(answer)[:200], flush=True)
        if problem:
            failures.append(f"{text}: {problem}")

    for made in json.loads((pathlib.Path(__file__).parent / "hostile_graphs.json").read_text()):
        if not options.only:
            ask(made["what"], {"graph": made["graph"], "inputs": made["inputs"]})
    for what, graph in large_graphs() if not options.only else ():
        ask(what, {"graph": graph, "inputs": [base64.b64encode(bytes(8)).decode()]})
    with np.errstate(all="ignore"):
        for k, name in enumerate(wanted):
            op, row = table[name], rows[name]
            generator = np.random.default_rng([options.seed, sum(name.encode()) * 1000 + len(name)])
            for call in degenerate(row):
                case = case_of(op, row, call, dtypes_of(op, row)[0], generator)
                ask(f"{name} {shown(case.graph['inputs'])} {shown(case.graph['nodes'])}", document(case), op, row, case)
            for n in range(options.count):
                if n % 4 == 3 and not reads_all(op):
                    case = expanded(op, row, generator)
                    checked = None
                else:
                    call, dtype = mutated(op, row, generator)
                    case = case_of(op, row, call, dtype, generator)
                    checked = row if case.comparable else None
                if case is not None:
                    checked = checked if options.device == "cpu" else None  # GPUs have other numbers for infinities
                    ask(f"{name} {shown(case.graph['inputs'])} {shown(case.graph['nodes'])}", document(case), op, checked, case)
    print(f"{cases} hostile calls on {options.device}: {refused} refused, {compared} computed and compared, {len(failures)} failures")
    if failures:
        print("\n".join(failures[:60]))
        sys.exit(1)


if __name__ == "__main__":
    main()
