#pragma once

#include <ostream>

// The scripts of web_replaced_test.cc.

namespace alknet::runtime::web {

/// Gives `replaceAll(watch)`, which replaces each method and each accessor of the language's intrinsics, and each of
/// its globals: by functions that throw, or (watch) by accessors that count who reads them. `counted` lists who was
/// called.
inline constexpr const char* kReplace = R"js(
const counted = [];
const { replaceAll, after } = (() => {
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty, apply } = Reflect;
  const { then } = Promise.prototype;
  let counting = true;
  const count = (path) => { if (counting) counted[counted.length] = path; };

  const found = new Map();
  const visit = (value, path) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || found.has(value)) return;
    found.set(value, path);
    visit(getPrototypeOf(value), `${path}.__proto__`);
    for (const key of ownKeys(value)) {
      const { value: held, get, set } = getOwnPropertyDescriptor(value, key);
      for (const one of [held, get, set]) visit(one, `${path}.${String(key)}`);
    }
  };
  const isOurs = (name) => name === "self" || name === "globalThis" ||
    !("value" in getOwnPropertyDescriptor(globalThis, name));
  const globals = ownKeys(globalThis).filter((name) => typeof name === "string" && !isOurs(name));
  for (const name of globals) visit(globalThis[name], name);
  const hidden = { async: async () => {}, generator: function* () {}, asyncGenerator: async function* () {} };
  const iterators = [[].values(), new Map().keys(), new Set().keys(), ""[Symbol.iterator](), "".matchAll(/a/g)];
  for (const value of Object.values(hidden).concat(iterators)) visit(getPrototypeOf(value), "hidden");
  const all = [...found].filter(([value]) => value !== counted);

  const replace = (owner, key, path, watch) => {
    const property = getOwnPropertyDescriptor(owner, key);
    const isMethod = typeof property.value === "function" && property.writable;
    if (!isMethod && (!property.configurable || "value" in property)) return;
    const thrower = (...given) => { count(path); throw new kError(path + " was replaced"); };
    if (watch && property.configurable) {
      const get = function () {
        count(path);
        return isMethod ? property.value : property.get && apply(property.get, this, []);
      };
      defineProperty(owner, key, { get, set: property.set, configurable: true });
    } else {
      defineProperty(owner, key, isMethod ? { value: thrower } : { get: thrower, set: thrower });
    }
  };
  const kError = Error;
  return {
    replaceAll(watch) {
      const jobs = [];
      for (const [owner, path] of all) for (const key of ownKeys(owner)) jobs.push([owner, key,
        `${path}.${String(key)}`]);
      for (const name of globals) jobs.push([globalThis, name, name]);
      for (let i = 0; i < jobs.length; i++) replace(jobs[i][0], jobs[i][1], jobs[i][2], watch);
    },
    /** Promise.prototype.then as it was; what it reads is the test's affair. */
    after(promise, fulfilled, rejected = failed) {
      counting = false;
      apply(then, promise, [fulfilled, rejected]);
      counting = true;
    },
  };
})();
const { Uint8Array: Bytes, Error: LanguageError, DOMException: kDOMException,
  ArrayBuffer: kArrayBuffer } = globalThis;
const list = (...items) => items;
const domName = Object.getOwnPropertyDescriptor(DOMException.prototype, "name").get, { apply } = Reflect;
const lengthOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Bytes.prototype), "length").get;
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;
const sizeOf = (value) => apply(value instanceof kArrayBuffer ? byteLength : lengthOf, value, []);
const failed = (error) => done("failed: " + error.message);
const nameOf = (error) => error instanceof kDOMException ? apply(domName, error, []) : error.name;
let result = "nothing came";
const done = (text) => { result = text; };
)js";

/// One interface in use. It uses nothing of the language that can be replaced: no templates, which the engine makes
/// with String.prototype.concat.
struct Case {
  const char* name;
  const char* before;  ///< makes inputs, while the language is whole
  const char* script;  ///< uses the interface; says ("done(text)")
};

inline void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

inline constexpr Case kCases[] = {
    {"Headers", "const pairs = [['a', 'b'], ['set-cookie', 'c']]", R"js(
      const headers = new Headers(pairs);
      headers.append("x", " 1 "); headers.append("X", "2"); headers.set("y", "z"); headers.delete("a");
      let text = "";
      headers.forEach((value, name) => { text += ("" + name + "=" + value + ";"); });
      const first = headers.entries().next().value;
      done(text + headers.get("x") + headers.has("y") + headers.getSetCookie()[0] + first[0] +
        new Headers({ k: "v" }).get("k")))js"},
    {"Request", "", R"js(
      const controller = new AbortController();
      const request = new Request("https://a.b/c?d", { method: "post", headers: { k: "v" }, body: "text",
        signal: controller.signal });
      const copy = new Request(request.clone(), { headers: new Headers({ other: "w" }) });
      controller.abort();
      const head = request.method + request.url + request.headers.get("k") + copy.headers.get("other") +
        copy.signal.aborted;
      after(request.text(), (text) => done(head + text + request.bodyUsed)))js"},
    {"Response", "", R"js(
      const response = new Response("abc", { status: 201, headers: { "Content-Type": "x/y" } });
      const copy = response.clone();
      after(response.text(), (text) => after(copy.blob(), (blob) => after(copy.text(), failed, (error) =>
        done(text + blob.size + blob.type + response.ok + nameOf(error))))))js"},
    {"ResponseBodies", "const form = 'a=1&b=2'", R"js(
      const type = (name) => ({ headers: { "Content-Type": name } });
      after(Response.json({ n: 1, list: list(1, 2) }).json(), (json) =>
        after(new Response(form, type("application/x-www-form-urlencoded")).formData(), (data) =>
          after(new Response(data).formData(), (again) =>
            after(new Response("xyz").bytes(), (bytes) => after(new Response("xyz").arrayBuffer(), (buffer) =>
              done(json.n + json.list[1] + data.get("b") + again.get("a") + bytes[2] +
                new Bytes(buffer)[0])))))))js"},
    {"ResponseOfAStream", "", R"js(
      let n = 0;
      const stream = new ReadableStream({ pull(controller) {
        if (n < 3) controller.enqueue(new TextEncoder().encode(("part " + (n++) + ";"))); else controller.close();
      } });
      after(new Response(stream).text(), done))js"},
    {"fetch", "", R"js(
      after(fetch("https://a.b/c", { method: "put", body: "sent", headers: { k: "v" } }), (response) =>
        after(response.text(), (text) => done(response.status + response.url + response.headers.get("x-a") +
          text))))js"},
    {"fetchOfPieces", "", R"js(
      after(fetch("https://a.b/pieces"), (response) => after(response.text(), done)))js"},
    {"fetchAborted", "", R"js(
      const controller = new AbortController();
      after(fetch("https://a.b/never", { signal: controller.signal }), failed, (error) => done(nameOf(error)));
      queueMicrotask(() => setTimeout(() => controller.abort(), 1)))js"},
    {"WebSocket", "", R"js(
      let text = "";
      const socket = new WebSocket("https://a.b/chat", list("chat"));
      socket.onopen = () => { text += socket.protocol; socket.send("x"); socket.send(new Blob(list("y")));
        socket.send(new Bytes(2)); };
      socket.addEventListener("message", (event) =>
        { text += typeof event.data === "string" ? event.data : event.data.size; });
      socket.onclose = (event) => {
        text += event.code + event.reason + event.wasClean;
        setTimeout(() => done(text + socket.url + socket.readyState + socket.bufferedAmount));
      })js"},
    {"ReadableStream", "", R"js(
      const stream = new ReadableStream({ start(controller) {
        controller.enqueue("a"); controller.enqueue({ b: 1 }); controller.close();
      } }, new CountQueuingStrategy({ highWaterMark: 3 }));
      const reader = stream.getReader();
      after(reader.read(), (one) => after(reader.read(), (two) => after(reader.read(), (end) => after(reader.closed,
        () =>
        done(one.value + two.value.b + end.done + stream.locked))))))js"},
    {"ReadableStreamTee", "", R"js(
      const branches = new ReadableStream({ start(controller) { controller.enqueue("a"); controller.close();
        } }).tee();
      after(branches[0].getReader().read(), (one) => after(branches[1].getReader().read(), (two) =>
        done(one.value + two.value))))js"},
    {"ReadableStreamBytes", "", R"js(
      const stream = new ReadableStream({ type: "bytes", pull(controller) {
        controller.byobRequest.view[0] = 7;
        controller.byobRequest.respond(1);
      } });
      after(stream.getReader({ mode: "byob" }).read(new Bytes(4)), (read) =>
        done(("" + read.value[0] + " of " + sizeOf(read.value)))))js"},
    {"ReadableStreamIteration", "", R"js(
      const iterator = new ReadableStream({ start(controller) { controller.enqueue("a"); } }).values();
      after(iterator.next(), (one) => after(iterator.return("end"), (end) => done(one.value + end.value))))js"},
    {"ReadableStreamCancel", "", R"js(
      let why;
      const stream = new ReadableStream({ cancel(reason) { why = reason; } });
      after(stream.cancel("enough"), () => done(why)))js"},
    {"ReadableStreamError", "", R"js(
      const stream = new ReadableStream({ pull() { throw new LanguageError("broken"); } });
      after(stream.getReader().read(), failed, (error) => done(error.message)))js"},
    {"ReadableStreamFrom", "const items = ['a', 'b']", R"js(
      const reader = ReadableStream.from(items).getReader();
      after(reader.read(), (one) => after(reader.read(), (two) => done(one.value + two.value))))js"},
    {"WritableStream", "", R"js(
      let written = "";
      const writer = new WritableStream({ write(chunk) { written += chunk; }, close() { written += ".";
        } }).getWriter();
      after(writer.ready, () => { writer.write("a"); writer.write("b"); after(writer.close(), () => done(written));
        }))js"},
    {"WritableStreamAbort", "", R"js(
      let why;
      const stream = new WritableStream({ abort(reason) { why = reason; } });
      after(stream.abort("enough"), () => done(why)))js"},
    {"TransformStream", "", R"js(
      const upper = new TransformStream({ transform(chunk, controller) { controller.enqueue(("<" + chunk + ">"));
        } });
      let written = "";
      const source = new ReadableStream({ start(controller) { controller.enqueue("a"); controller.enqueue("b");
        controller.close(); } });
      after(source.pipeThrough(upper).pipeTo(new WritableStream({ write(chunk) { written += chunk; } })), () =>
        done(written)))js"},
    {"TextStreams", "", R"js(
      const source = new ReadableStream({ start(controller) { controller.enqueue("gr\u00fc\u00df");
        controller.close(); } });
      const reader = source.pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream()).getReader();
      after(reader.read(), (read) => done(read.value)))js"},
    {"CompressionStreams", "", R"js(
      const source = new Blob(list("aaaa", "bbbb")).stream();
      const through = source.pipeThrough(new CompressionStream("gzip")).pipeThrough(new DecompressionStream("gzip"));
      after(new Response(through).text(), done))js"},
    {"structuredClone", R"js(
      const value = { list: [1, , "b"], map: new Map([["k", new Set([1, 2])]]), date: new Date(5), pattern: /a+/gi,
        bytes: new Uint8Array([1, 2, 3]), view: new DataView(new ArrayBuffer(8), 2), boxed: Object(1n),
          error: new RangeError("e") };
      value.self = value;
      const mapGet = (map, key) => map_get.call(map, key), map_get = Map.prototype.get, time = Date.prototype.getTime;
      const size = Object.getOwnPropertyDescriptor(Set.prototype, "size").get, call = Reflect.apply)js",
     R"js(
      const copy = structuredClone(value);
      done(copy.list.length + copy.list[2] + call(size, call(map_get, copy.map, list("k")), list()) + call(time,
        copy.date, list()) +
           copy.bytes[2] + copy.error.message + (copy.self === copy) + (copy !== value)))js"},
    {"structuredCloneTransfers", "const buffer = new ArrayBuffer(4), view = new Uint8Array(buffer); view[1] = 9",
     R"js(
      const copy = structuredClone({ view }, { transfer: list(buffer) });
      done(("" + copy.view[1] + " of " + sizeOf(copy.view) + ", then " + sizeOf(view))))js"},
    {"structuredCloneOfPlatformObjects", "", R"js(
      const copy = structuredClone({ file: new File(list("abc"), "n", { lastModified: 3 }) });
      let refused; try { structuredClone(new Headers()); } catch (error) { refused = nameOf(error); }
      done(copy.file.name + copy.file.size + copy.file.lastModified + refused))js"},
    {"Blob", "const parts = ['abc', new Uint8Array([65, 66])]", R"js(
      const blob = new Blob(parts, { type: "A/B", endings: "native" });
      after(blob.slice(1, 4, "c/d").text(), (text) => after(blob.arrayBuffer(), (buffer) =>
        after(new Response(blob.stream()).text(), (all) => done(text + blob.type + sizeOf(buffer) + all)))))js"},
    {"FormData", "", R"js(
      const form = new FormData();
      form.append("a", "1"); form.append("a", "2"); form.set("f", new Blob(list("xyz")), "name.txt");
      let text = "";
      form.forEach((value, name) => { text += name + (value.name ?? value); });
      after(new Response(form).text(), (body) => done(text + form.getAll("a")[1] + form.has("f") +
        (body.length > 100))))js"},
    {"URL", "", R"js(
      const url = new URL("../d?x=1&y=%20#e", "https://u:p@a.b:81/c/");
      url.searchParams.append("z", "\u00e9 +");
      url.pathname = "/new"; url.hash = "";
      let refused; try { new URL("no"); } catch (error) { refused = nameOf(error); }
      done(url.href + url.host + url.username + url.password + URL.canParse("a:b") + refused))js"},
    {"URLSearchParams", "const pairs = [['b', '2'], ['a', '1']]", R"js(
      const params = new URLSearchParams(pairs);
      params.append("c", "3 %"); params.set("b", "4"); params.delete("x"); params.sort();
      let text = "";
      params.forEach((value, name) => { text += name + value; });
      done(text + params.toString() + new URLSearchParams("?q=%41+b").get("q") +
        new URLSearchParams({ k: "v" }).size))js"},
    {"Encoding", "", R"js(
      const bytes = new TextEncoder().encode("gr\u00fc\u00df");
      const target = new Bytes(4);
      const into = new TextEncoder().encodeInto("\u00fc\u00df\u00fc", target);
      const wide = new Bytes(4); wide[0] = 65; wide[2] = 66;
      const decoder = new TextDecoder();
      done(sizeOf(bytes) + into.read + into.written + decoder.decode(bytes, { stream: true }) + decoder.decode() +
           new TextDecoder("utf-16le").decode(wide) + new TextDecoder("latin1").decode(bytes)))js"},
    {"Events", "", R"js(
      const target = new EventTarget();
      let text = "";
      const listener = { handleEvent(event) { text += event.type + event.detail; event.preventDefault(); } };
      target.addEventListener("a", listener);
      target.addEventListener("a", (event) => { text += event.timeStamp >= 0; }, { once: true });
      const kept = target.dispatchEvent(new CustomEvent("a", { detail: 5, cancelable: true }));
      target.removeEventListener("a", listener);
      target.dispatchEvent(new Event("a"));
      done(text + kept + new MessageEvent("m", { data: 1, ports: list() }).data + new ErrorEvent("e",
        { message: "m" }).message))js"},
    {"Abort", "", R"js(
      const controller = new AbortController();
      const any = AbortSignal.any(list(controller.signal, AbortSignal.timeout(1e6)));
      let text = "";
      any.addEventListener("abort", () => { text += "heard "; });
      controller.signal.onabort = () => { text += "first "; };
      controller.abort();
      try { any.throwIfAborted(); } catch (error) { text += nameOf(error); }
      done(text + AbortSignal.abort("why").reason))js"},
    {"AbortSignalTimeout", "", R"js(
      AbortSignal.timeout(1).addEventListener("abort", (event) => done(nameOf(event.target.reason)));
        setTimeout(() => {}, 30))js"},
    {"Timers", "", R"js(
      let text = "";
      const never = setTimeout(() => { text += "never"; }, 1);
      clearTimeout(never);
      queueMicrotask(() => { text += "micro "; });
      const interval = setInterval((word) => { text += word; clearInterval(interval); done(text); }, 1, "tick");
      setTimeout(() => { text += "zero "; }))js"},
    {"Crypto", "", R"js(
      const random = crypto.getRandomValues(new Bytes(8));
      after(crypto.subtle.digest("sha-256", new Bytes(3)), (digest) =>
        done(("" + crypto.randomUUID().length + " " + sizeOf(random) + " " + (new Bytes(digest)[0])))))js"},
    {"Performance", "", R"js(
      performance.mark("a", { startTime: 1, detail: { n: 1 } });
      performance.mark("b", { startTime: 4 });
      const measure = performance.measure("m", "a", "b");
      done(measure.duration + performance.getEntriesByType("mark").length +
        performance.getEntriesByName("a")[0].detail.n +
           (performance.now() > 0) + performance.toJSON().timeOrigin > 0))js"},
    {"Console", R"js(
      class Shape { side = 2; get area() { return 4; } }
      const shown = [new Shape(), [1, "two", [3, [4, [5]]]], new Map([["k", { a: 1 }]]), new Set([1]), new Date(0),
        /x/g, null,
        undefined, -0, 12n, Symbol("s"), () => 1, class A extends Shape {}, new Uint8Array(3), new ArrayBuffer(2),
          Promise.resolve(7),
        new WeakMap(), Object.create(null), Object(1), new Array(200).fill(1234), "line\nline", { "a-b": "'" }, [,1]];
      shown.push({ shown: shown[0], circular: shown }, new Proxy({}, {}));
      const rows = [{ a: 1, b: "x" }, { a: 2 }])js",
     R"js(
      for (let i = 0; i < shown.length; i++) console.log(shown[i]);
      console.log("%s %d %i %f %j %o %O %% %c rest", "s", 4.5, "42.5", "1.5", rows, rows, rows, "css", 9);
      console.table(rows); console.table(shown[2]); console.group("g"); console.warn("in"); console.groupEnd();
      console.count(); console.count("n"); console.countReset(); console.assert(false, "no"); console.dir(rows,
        { depth: 0 });
      console.log(new Headers({ a: "b" }), new URL("https://a.b"), new Event("e").type, new AbortController());
      done("printed"))js"},
    {"ConsoleOfErrors",
     "const error = new TypeError('bad', { cause: new Error('deep') }); error.stack = 'TypeError: bad'; "
     "error.cause.stack = ''",
     R"js(console.log(error); console.error("%s", error); console.time("t");
        console.timeEnd("u"); console.trace; done("printed"))js"},
    {"ReportError", "", R"js(
      let text = "";
      addEventListener("error", (event) => { event.preventDefault(); text += event.message; });
      reportError(new LanguageError("one"));
      setTimeout(() => { throw "two"; });
      setTimeout(() => done(text), 2))js"},
    {"ImageBitmap", "", R"js(
      after(createImageBitmap(new Blob(list("no picture"))), failed, (error) => done(nameOf(error))))js"},
    {"Navigator", "", "done(navigator.userAgent + navigator.hardwareConcurrency)"},
};

}  // namespace alknet::runtime::web
