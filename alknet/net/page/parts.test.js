import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { base64Encode, bytesToNumbers, numbersToBytes } from "./bytes.js";
import { alknetCommand, curlCommand, shellQuoted } from "./command.js";
import { EventStreamParser } from "./event_stream.js";
import { Gateway, GatewayError } from "./gateway.js";
import { HandleTable, handlesIn } from "./handles.js";
import { LiveItems } from "./live_items.js";
import { matching, namespaceOf } from "./operation_filter.js";
import { describe } from "./schema.js";
import { limitsText } from "./schema_tree.js";
import { linesThrough, numbersOf, statistics } from "./series.js";

const kHostile = 'it\'s "$HOME" `id` $(id) \\ \n !x; é';

test("a shell takes quoted words as they are", () => {
  for (const word of [kHostile, "", "-n", "a b", "plain/word", "'", "''"]) {
    const shell = spawnSync("sh", ["-c", `printf %s. ${shellQuoted(word)}`]);
    assert.equal(shell.stdout.toString(), `${word}.`);
  }
});

test("commands carry the call, but no token", () => {
  const request = {
    base: "http://h:1/",
    operation: "a/b",
    input: { s: kHostile },
    stream: false,
    session: "s1",
    token: true,
  };
  const run = (/** @type {string} */ command) =>
    spawnSync("sh", [
      "-c",
      `curl() { printf '%s\\n' "$@" | cat; }; alknet() { curl "$@"; }; TOKEN=t; ${command}`,
    ]).stdout.toString();
  assert.equal(
    run(curlCommand(request)),
    [
      "http://h:1/call",
      "-H",
      "Content-Type: application/json",
      "-H",
      "Alknet-Session: s1",
      "-H",
      "Authorization: Bearer t",
      "-d",
      JSON.stringify({ operation: "a/b", input: { s: kHostile } }),
      "",
    ].join("\n"),
  );
  assert.match(
    run(curlCommand({ ...request, stream: true })),
    /-N\n-G\nhttp:\/\/h:1\/subscribe\n[^]*operation=a\/b\n[^]*input=\{/,
  );
  assert.equal(run(alknetCommand({ ...request, stream: true, input: {} })), "call\n--stream\nhttp://h:1\na/b\n{}\n");
});

const kStream =
  ": hello\r\nevent: message\rdata: 1\n\ndata:a\ndata:  b\nid: 4\n\nevent: completed\ndata\n\nevent: lost\n\ndata: cut";
const kEvents = [
  { type: "message", data: "1" },
  { type: "message", data: "a\n b" },
  { type: "completed", data: "" },
];

test("events come out however the stream is cut", () => {
  assert.deepEqual(new EventStreamParser().push(kStream), kEvents);
  const single = new EventStreamParser();
  assert.deepEqual(
    [...kStream].flatMap((character) => single.push(character)),
    kEvents,
  );
});

/**
 * A gateway that answers every request alike; `requests` are what it was asked.
 * @param {() => Response} answer
 */
function gatewayWith(answer) {
  /** @type {{url: string, headers: Headers, body: unknown}[]} */
  const requests = [];
  const gateway = new Gateway("http://g/", async (url, options) => {
    requests.push({ url: String(url), headers: new Headers(options?.headers), body: options?.body });
    return answer();
  });
  return { gateway, requests };
}

test("every request carries the session, and the token when there is one", async () => {
  const { gateway, requests } = gatewayWith(() => Response.json({ output: 5 }));
  assert.equal((await gateway.call("a/b", { x: 1 })).output, 5);
  gateway.token = "secret";
  await gateway.call("a/b", {});
  assert.deepEqual(
    requests.map(({ headers }) => headers.get("Authorization")),
    [null, "Bearer secret"],
  );
  assert.match(requests[0]?.headers.get("Alknet-Session") ?? "", /^[0-9a-f]{32}$/);
  assert.equal(requests[0]?.headers.get("Alknet-Session"), requests[1]?.headers.get("Alknet-Session"));
  assert.equal(requests[0]?.body, '{"operation":"a/b","input":{"x":1}}');
});

test("an error has its code, message, details and status", async () => {
  const violations = [{ instance_path: "/x", schema_path: "/properties/x/type", message: "is no integer" }];
  const error = { code: "INVALID_INPUT", message: "no", retryable: false, details: { violations } };
  const { gateway } = gatewayWith(() => Response.json({ error }, { status: 400 }));
  const caught = await gateway.call("a/b", {}).catch((reason) => reason);
  assert.ok(caught instanceof GatewayError);
  assert.deepEqual([caught.code, caught.message, caught.status, caught.retryable], ["INVALID_INPUT", "no", 400, false]);
  assert.deepEqual(caught.violations, [{ pointer: "/x", message: "is no integer" }]);
});

test("answers that are not the gateway's are errors too", async () => {
  const { gateway } = gatewayWith(() => new Response("<h1>Bad Gateway</h1>", { status: 502 }));
  const caught = await gateway.schema("a/b").catch((reason) => reason);
  assert.deepEqual([caught.code, caught.status], ["MALFORMED", 502]);
  const down = new Gateway("http://g/", () => Promise.reject(new TypeError("failed")));
  assert.equal((await down.search().catch((reason) => reason)).code, "UNREACHABLE");
});

test("a list keeps what has a name and shows unknown types as queries", async () => {
  const operations = [
    { name: "a/b", op_type: "mutation", tags: [1, "t"] },
    { op_type: "query" },
    null,
    { name: "c", op_type: 5 },
  ];
  const { gateway } = gatewayWith(() => Response.json({ operations }));
  assert.deepEqual(await gateway.search(), [
    { name: "a/b", type: "mutation", title: "", description: "", tags: ["t"] },
    { name: "c", type: "query", title: "", description: "", tags: [] },
  ]);
});

/** @param {string} text */
async function itemsOf(text) {
  const { gateway } = gatewayWith(() => new Response(text, { headers: { "Content-Type": "text/event-stream" } }));
  const items = [];
  try {
    for await (const item of gateway.subscribe("a/s", {}, new AbortController().signal)) items.push(item);
  } catch (error) {
    items.push(error instanceof GatewayError ? error.code : error);
  }
  return items;
}

test("a subscription ends with completed, with an error, or is cut off", async () => {
  assert.deepEqual(await itemsOf('data: {"n":1}\n\ndata: 2\n\nevent: completed\ndata: {}\n\n'), [{ n: 1 }, 2]);
  assert.deepEqual(await itemsOf('data: 1\n\nevent: error\ndata: {"code":"TIMEOUT","message":"late"}\n\n'), [
    1,
    "TIMEOUT",
  ]);
  assert.deepEqual(await itemsOf('data: 1\n\nevent: error\ndata: {"error":{"code":"TIMEOUT","message":"late"}}\n\n'), [
    1,
    "TIMEOUT",
  ]);
  assert.deepEqual(await itemsOf("data: 1\n\n"), [1, "CONNECTION_LOST"]);
});

test("handles are found wherever they are and go when they are disposed of", () => {
  const [one, two] = [
    { $tensor: "h1", dtype: "f32", shape: [2] },
    { $tensor: "h2", dtype: "i8", shape: [] },
  ];
  assert.deepEqual(handlesIn({ count: 1, a: [[one]], b: { c: two }, d: [1, 2, 3] }), [one, two]);
  const table = new HandleTable();
  table.note("tensor/add", {}, { a: one, b: two });
  assert.deepEqual(
    table.list().map(({ id, operation }) => [id, operation]),
    [
      ["h2", "tensor/add"],
      ["h1", "tensor/add"],
    ],
  );
  assert.equal(table.find("h1"), one);
  table.note("compute/dispose", { handles: ["h1", two] }, { disposed: 2 });
  assert.deepEqual(table.list(), []);
});

test("a search wants every word and puts names first", () => {
  const named = (/** @type {string} */ name, title = "") => ({
    name,
    title,
    description: "",
    type: /** @type {const} */ ("query"),
    tags: ["math"],
  });
  const operations = [named("b/other", "like add"), named("tensor/addmm"), named("tensor/add"), named("x/padding")];
  const names = (/** @type {string} */ query) => matching(operations, query).map(({ name }) => name);
  assert.deepEqual(names("ADD"), ["tensor/add", "tensor/addmm", "x/padding", "b/other"]);
  assert.deepEqual(names("math like"), ["b/other"]);
  assert.equal(names("").length, 4);
  assert.deepEqual(names("nothing"), []);
  assert.equal(namespaceOf("a/b/c"), "a/b");
});

test("a line has at most two points a column and breaks where there is no number", () => {
  const many = Float64Array.from({ length: 100000 }, (_, index) => Math.sin(index));
  const [line] = linesThrough([...many], 200, 20);
  assert.ok((line ?? "").split(" ").length <= 400);
  assert.deepEqual(linesThrough([0, 1, NaN, 1, 0], 100, 10).length, 2);
  assert.deepEqual(linesThrough([NaN, Infinity], 100, 10), []);
  assert.deepEqual(linesThrough([5], 100, 10), ["0.0,10.0"]);
  assert.deepEqual(statistics([1, NaN, 3]), { min: 1, max: 3, mean: 2 });
  assert.deepEqual(numbersOf([1, "NaN", "-Infinity"]), [1, NaN, NaN]);
  assert.equal(numbersOf([1, "x"]), undefined);
});

test("of a stream the newest items, its rate, its numbers and its text are kept", () => {
  let now = 0;
  const items = new LiveItems(() => now);
  for (let step = 0; step < 10000; ++step) {
    now += 10;
    items.push({ step, load: step / 2, text: "ab" });
  }
  assert.equal(items.count, 10000);
  assert.equal(items.newest.length, 200);
  assert.equal(items.newest[0]?.index, 9999);
  assert.ok(Math.abs(items.rate() - 100) < 1);
  assert.ok(Math.abs(items.meanRate() - 100) < 1);
  assert.deepEqual([items.numberName, items.numbers.length, items.numbers.at(-1)], ["load", 240, 4999.5]);
  assert.equal(items.text.length, 20000);
  now += 5000;
  assert.equal(items.rate(), 0, "nothing came lately");
  const numbers = new LiveItems(() => 0);
  numbers.push(7);
  numbers.push("x");
  assert.deepEqual([numbers.numbers, numbers.text], [[7], "x"]);
});

test("limits are said in words", () => {
  const said = (/** @type {import("./json.js").Schema} */ schema) => limitsText(describe(schema, schema));
  assert.equal(said({ type: "integer", minimum: 1, maximum: 9 }), "1 to 9");
  assert.equal(said({ "TypeDef:Int8": true }), "");
  assert.equal(said({ "TypeDef:Int8": true, minimum: 0 }), "0 to 127");
  assert.equal(said({ type: "string", maxLength: 1 }), "≤ 1 character");
  assert.equal(said({ type: "array", minItems: 2, maxItems: 2 }), "2 items");
  assert.equal(said({ type: "number", exclusiveMinimum: 0, multipleOf: 0.5 }), "more than 0 · a multiple of 0.5");
  assert.equal(said({ enum: ["a", 1], default: "a" }), '"a" | 1 · default "a"');
  assert.equal(said({ type: "string", pattern: "^a" }), "matches ^a");
});

test("numbers and bytes are the same thing twice", () => {
  for (const type of ["f32", "f64", "i32", "i64", "u8"]) {
    const bytes = numbersToBytes("1 2,250", type);
    assert.deepEqual(bytes && bytesToNumbers(bytes, type), [1, 2, 250], type);
  }
  assert.equal(base64Encode(numbersToBytes("1", "f32") ?? new Uint8Array()), "AACAPw==");
  assert.equal(bytesToNumbers(new Uint8Array(3), "f32"), undefined);
  assert.equal(bytesToNumbers(new Uint8Array(4), "constructor"), undefined);
});
