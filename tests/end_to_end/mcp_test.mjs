// The official SDK of the Model Context Protocol beside alknet: its client calls our server, our importer its server.
// Usage: mcp_test.mjs PEER MODULES, where PEER is alknet_importer_peer. Prints "ok NAME" for each test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [peer, modules] = process.argv.slice(2);
const sdk = (path) => import(pathToFileURL(`${modules}/@modelcontextprotocol/sdk/dist/esm/${path}`));
const { Client } = await sdk("client/index.js");
const { StreamableHTTPClientTransport } = await sdk("client/streamableHttp.js");
const { McpServer } = await sdk("server/mcp.js");
const { StreamableHTTPServerTransport } = await sdk("server/streamableHttp.js");
const { isInitializeRequest } = await sdk("types.js");
const { z } = await import(pathToFileURL(`${modules}/zod/index.js`));

/** The peer with its lines of output. */
class Peer {
  constructor(...args) {
    this.process = spawn(peer, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
  }
  async line() {
    const { value, done } = await this.lines.next();
    assert(!done, "the peer ended early");
    return value;
  }
  send(value) {
    this.process.stdin.write(JSON.stringify(value) + "\n");
  }
  async call(operation, input) {
    this.send({ operation, input });
    return JSON.parse(await this.line());
  }
  async end() {
    this.process.stdin.end();
    assert.equal(await this.ended, 0);
  }
}

async function clientCallsOurServer() {
  const ours = new Peer("mcp-serve");
  const url = new URL(await ours.line());
  const client = new Client({ name: "test", version: "1" });
  const transport = new StreamableHTTPClientTransport(url);
  await client.connect(transport);
  assert.equal(client.getServerVersion().name, "alknet");
  assert.equal(transport.protocolVersion, "2025-06-18");
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["search", "schema", "call", "batch"]);

  const found = await client.callTool({ name: "search", arguments: { prefix: "test/" } });
  assert.deepEqual(found.structuredContent.operations.map((o) => o.name), ["test/echo", "test/running", "test/wait"]);
  const schema = await client.callTool({ name: "schema", arguments: { name: "test/echo" } });
  assert.equal(schema.structuredContent.op_type, "query");
  const input = { text: "héllo\n", list: [1, 2.5, null] };
  const called = await client.callTool({ name: "call", arguments: { operation: "test/echo", input } });
  assert.deepEqual(called.structuredContent, { output: input });
  assert.deepEqual(JSON.parse(called.content[0].text), input);
  const batch = await client.callTool({
    name: "batch",
    arguments: { calls: [{ operation: "test/echo", input: 1 }, { operation: "test/none" }] },
  });
  assert.deepEqual(batch.structuredContent.results[0], { output: 1 });
  assert.equal(batch.structuredContent.results[1].error.code, "NOT_FOUND");
  const failed = await client.callTool({ name: "call", arguments: { operation: "test/none" } });
  assert.equal(failed.isError, true);
  await assert.rejects(client.callTool({ name: "call", arguments: {} }), { code: -32602 });
  await assert.rejects(client.callTool({ name: "nothing", arguments: {} }), { code: -32602 });

  const running = async () =>
    (await client.callTool({ name: "call", arguments: { operation: "test/running" } })).structuredContent.output;
  const stop = new AbortController();
  const waiting = client.callTool({ name: "call", arguments: { operation: "test/wait" } }, undefined, {
    signal: stop.signal,
  });
  while ((await running()) < 2) continue;
  stop.abort("enough");
  await assert.rejects(waiting);
  while ((await running()) > 1) continue;

  await transport.terminateSession();
  await assert.rejects(client.ping());
  await client.close();
  await ours.end();
}

/** A server of the SDK; `json`: answers as JSON instead of event streams. */
async function sdkServer(json) {
  const sessions = new Map();
  const state = { cancelled: 0, sessions, servers: [] };
  const make = () => {
    const server = new McpServer({ name: "far", version: "1" });
    server.registerTool(
      "add",
      {
        title: "Add",
        description: "Adds two numbers.",
        inputSchema: { a: z.number(), b: z.number().describe("the second").optional() },
        outputSchema: { sum: z.number() },
      },
      async ({ a, b }) => ({ content: [{ type: "text", text: "sum" }], structuredContent: { sum: a + (b ?? 0) } }),
    );
    server.registerTool("shout", { inputSchema: { text: z.string().regex(/^[a-z]+$/) } }, async ({ text }) => ({
      content: [{ type: "text", text: text.toUpperCase() }],
    }));
    server.registerTool("fail", {}, async () => {
      throw new Error("out of paper");
    });
    server.registerTool("wait", {}, ({ signal }) => new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        ++state.cancelled;
        state.onCancelled?.();
        resolve({ content: [] });
      });
    }));
    server.registerTool("grow", {}, async () => {
      server.registerTool(`more_${randomUUID().slice(0, 4)}`, {}, async () => ({ content: [] }));
      return { content: [{ type: "text", text: "grown" }] };
    });
    state.servers.push(server);
    return server;
  };
  const http = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
    const id = request.headers["mcp-session-id"];
    let transport = sessions.get(id);
    if (!transport && isInitializeRequest(body)) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: json,
        onsessioninitialized: (made) => sessions.set(made, transport),
      });
      await make().connect(transport);
    }
    if (!transport) {
      response.writeHead(404).end();
      return;
    }
    await transport.handleRequest(request, response, body);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return { state, url: `http://127.0.0.1:${http.address().port}/mcp`, close: () => (http.closeAllConnections(), http.close()) };
}

async function ourImporterCallsTheSdk(json) {
  const server = await sdkServer(json);
  const ours = new Peer("mcp-import", server.url);
  const { revision, specs } = JSON.parse(await ours.line());
  assert.equal(revision, "2025-06-18");
  assert.deepEqual(specs.map((spec) => spec.name), ["far/add", "far/shout", "far/fail", "far/wait", "far/grow"]);
  assert.equal(specs[0].title, "Add");
  assert.equal(specs[0].op_type, "mutation");
  assert.equal(specs[0].input_schema.properties.b.description, "the second");
  assert.deepEqual(specs[0].output_schema.required, ["sum"]);

  assert.deepEqual(await ours.call("far/add", { a: 2, b: 0.5 }), { output: { sum: 2.5 } });
  assert.deepEqual(await ours.call("far/shout", { text: "abc" }), { output: "ABC" });
  assert.equal((await ours.call("far/shout", { text: "A1" })).error.code, "INVALID_INPUT");
  const failed = await ours.call("far/fail", {});
  assert.equal(failed.error.code, "TOOL_ERROR");
  assert.equal(failed.error.message, "out of paper");

  // The server forgets: a new session is begun without the caller noticing.
  server.state.sessions.clear();
  assert.deepEqual(await ours.call("far/add", { a: 1 }), { output: { sum: 1 } });
  assert.equal(server.state.sessions.size, 1);
  await ours.end();
  server.close();
}

for (const [name, test] of [
  ["the official client calls our server", clientCallsOurServer],
  ["our importer calls an official server that streams", () => ourImporterCallsTheSdk(false)],
  ["our importer calls an official server that answers JSON", () => ourImporterCallsTheSdk(true)],
]) {
  await test();
  console.log("ok", name);
}
process.exit(0);
