"""The tests of the packages under js/ that only Node can run: an isolate and a browser leave out these files, and no
other."""

FILES = "node:fs", "it reads files of the checkout, or compiles the examples of a document by esbuild"
PROCESS = "node:child_process", "it compares with another program, or calls a node that it starts"
CONTEXT = "node:vm", "it runs in a global object that has nothing of a host"
INSPECT = "node:util", "it asks how Node shows a tensor"
AJV = "ajv/dist/2020.js", "it compares with a validator that is a package of Node"

# Files that need what only Node has: the module that they ask for, and what it is for.
NEEDS_NODE = {
    "flowgraph/src/documents.test.ts": FILES,
    "flowgraph/src/infer.test.ts": PROCESS,
    "flowgraph/src/op_rows.test.ts": FILES,
    "flowgraph/src/planner.test.ts": PROCESS,
    "flowgraph/src/portable.test.ts": CONTEXT,
    "layout/src/engine.test.ts": PROCESS,
    "layout/src/readme.test.ts": FILES,
    "nn/src/modules.test.ts": FILES,
    "nn/src/program.test.ts": PROCESS,
    "nn/src/readme.test.ts": FILES,
    "nn/src/training.test.ts": PROCESS,
    "operations/src/websocket.test.ts": PROCESS,
    "program/src/index.test.ts": FILES,
    "pubsub/src/readme.test.ts": FILES,
    "schema/src/builders.test.ts": AJV,
    "schema/src/diff_engine.test.ts": PROCESS,
    "schema/src/engine.test.ts": AJV,
    "schema/src/portable.test.ts": CONTEXT,
    "schema/src/readme.test.ts": FILES,
    "tensor/src/node.test.ts": INSPECT,
    "ujsx/src/documents.test.ts": FILES,
    "ujsx/src/portable.test.ts": CONTEXT,
}
