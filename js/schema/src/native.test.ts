// The C++ engine of an isolate and TypeScript beside each other: equal layouts, bytes, instances and errors. In Node,
// where there is no such engine, engine.test.ts compares with a program.
import { nativeSchema } from "#engine";
import { Value } from "@sinclair/typebox/value";
import assert from "node:assert/strict";
import { test } from "node:test";
import { BlobStore } from "./blob_store.ts";
import * as TypeDef from "./builders/index.ts";
import { type Codec, compile, compileInScript } from "./codec.ts";
import { SchemaError } from "./error.ts";
import { fromJSON } from "./from_json.ts";
import type { LayoutMode } from "./measure.ts";
import { isValid } from "./validate.ts";
import { fromHex, toHex } from "../../testing/hex.ts";
import { Random } from "../../testing/random.ts";
import { type Bare, Generator } from "./testing/generate.ts";
import table from "../../../tests/codec_cases.json";

const skip = nativeSchema === undefined ? "this is no isolate of alknet, which has the module alknet:schema" : false;
const kSchemas = 60; // of each mode
const kInstances = 6;

interface Outcome {
  readonly value?: unknown;
  readonly error?: object;
}

/** What a call gives, or all that its error says. */
function outcome(call: () => unknown): Outcome {
  try {
    return { value: call() };
  } catch (error) {
    if (!(error instanceof SchemaError)) return { error: { name: String(error) } };
    const { code, message, path, pointer, offset } = error;
    return { error: { code, message, path, pointer, offset } };
  }
}

function encoded(codec: Codec<unknown>, value: unknown): Outcome {
  const store = new BlobStore();
  return outcome(() => ({ hex: toHex(codec.encode(value, { blobs: store.write })), store: toHex(store.bytes) }));
}

function decoded(codec: Codec<unknown>, bytes: Uint8Array, strict: boolean, store?: string): Outcome {
  const blobs = store === undefined ? {} : { blobs: new BlobStore(fromHex(store)).read };
  return outcome(() => codec.decode(bytes, { strict, ...blobs }));
}

/** Both codecs of a schema; undefined when both refuse it, which must be for the same reason. */
function codecs(schema: unknown, mode: LayoutMode): [Codec<unknown>, Codec<unknown>] | undefined {
  const both = [compile, compileInScript].map((make) => outcome(() => make(schema as Bare, mode)));
  const [native, script] = both.map(({ value }) => value as Codec<unknown> | undefined);
  assert.deepEqual(both[0]?.error, both[1]?.error, JSON.stringify(schema));
  if (native === undefined || script === undefined) return undefined;
  assert.deepEqual(native.layout, script.layout, JSON.stringify(schema));
  return [native, script];
}

function* generated(): IterableIterator<{ mode: LayoutMode; schema: Bare; values: readonly unknown[] }> {
  for (const mode of ["packed", "aligned"] as const) {
    for (let seed = 1000; seed < 1000 + kSchemas; ++seed) {
      const generator = new Generator(new Random(seed), mode === "aligned");
      const schema = generator.root();
      const values = Array.from({ length: kInstances }, (_, i) => generator.instance(schema, i % 3 === 2));
      yield { mode, schema, values };
    }
  }
}

test("the engine does the work where it can", { skip }, () => {
  const type = TypeDef.Struct({ id: TypeDef.Uint64(), label: TypeDef.String() });
  const codec = compile(type, "packed");
  // A getter is looked at once by one walk over the value.
  let looked = 0;
  const value = Object.defineProperty({ label: "a" }, "id", { enumerable: true, get: () => ++looked });
  codec.encode(value as never);
  assert.equal(looked, 1);
  assert.ok(!(compileInScript(type, "packed").constructor === codec.constructor));
});

test("generated values encode to the same bytes, or the same error", { skip }, () => {
  let [good, bad] = [0, 0];
  for (const { mode, schema, values } of generated()) {
    const both = codecs(schema, mode);
    for (const value of both === undefined ? [] : values) {
      const native = encoded(both![0], value);
      assert.deepEqual(native, encoded(both![1], value), `${mode} ${JSON.stringify(schema)} ${JSON.stringify(value)}`);
      native.error === undefined ? ++good : ++bad;
    }
  }
  assert.ok(good > 100 && bad > 20, `${good} values encode, ${bad} do not`);
});

test("what the engine takes and refuses by itself is what TypeScript does", { skip }, () => {
  let compared = 0;
  for (const { mode, schema, values } of generated()) {
    const text = JSON.stringify(schema);
    if (text.includes("TypeDef:Blob") || outcome(() => compileInScript(schema, mode)).value === undefined) continue;
    const engine = new nativeSchema!.SchemaCodec(schema, mode);
    const script = compileInScript(schema, mode);
    for (const value of values) {
      const codeOf = (call: () => Uint8Array): unknown => {
        try {
          return toHex(call());
        } catch (error) {
          return (error as SchemaError).code;
        }
      };
      assert.equal(
        codeOf(() => engine.encode(value)),
        codeOf(() => script.encode(value)),
        `${text} ${JSON.stringify(value)}`,
      );
      ++compared;
    }
  }
  assert.ok(compared > 100);
});

test("damaged bytes decode to the same instances, or the same error", { skip }, () => {
  const random = new Random(2);
  let [good, bad] = [0, 0];
  for (const { mode, schema, values } of generated()) {
    const both = codecs(schema, mode);
    for (const value of both === undefined ? [] : values) {
      const { value: written } = encoded(both![1], value) as { value?: { hex: string; store: string } };
      if (written === undefined) continue;
      const whole = fromHex(written.hex);
      const damaged = whole.slice(0, random.below(whole.length + 1));
      const flipped = Uint8Array.from(whole, (byte) => (random.once(12) ? byte ^ (1 << random.below(8)) : byte));
      for (const bytes of [whole, damaged, flipped]) {
        for (const strict of [false, true]) {
          const about = `${mode} ${JSON.stringify(schema)} ${toHex(bytes)}`;
          for (const store of [written.store, undefined]) {
            const native = decoded(both![0], bytes, strict, store);
            assert.deepEqual(native, decoded(both![1], bytes, strict, store), about);
            native.error === undefined ? ++good : ++bad;
          }
        }
      }
    }
  }
  assert.ok(good > 100 && bad > 100, `${good} decode, ${bad} do not`);
});

test("the table of the C++ engine gives the same results and errors", { skip }, () => {
  let rows = 0;
  for (const { schema, mode, cases } of table as unknown as {
    schema: Bare;
    mode: LayoutMode;
    cases: { value?: unknown; bytes?: string }[];
  }[]) {
    const both = codecs(schema, mode);
    if (both === undefined) continue;
    for (const each of cases) {
      const about = `${mode} ${JSON.stringify(schema)} ${JSON.stringify(each).slice(0, 200)}`;
      if ("value" in each) assert.deepEqual(encoded(both[0], each.value), encoded(both[1], each.value), about);
      const bytes = fromHex(each.bytes ?? "");
      for (const strict of [false, true]) {
        assert.deepEqual(decoded(both[0], bytes, strict), decoded(both[1], bytes, strict), about);
      }
      ++rows;
    }
  }
  assert.ok(rows > 300, `${rows} rows`);
});

test("values that are no JSON get the same answer", { skip }, () => {
  const { Int64, Float64, String: Text, Timestamp, Record, Struct, Optional, Array: ArrayOf, Bytes, Boolean: Bool } = TypeDef;
  const cyclic: Record<string, unknown> = {};
  cyclic["a"] = cyclic;
  const cases: [Parameters<typeof compile>[0], unknown][] = [
    [Int64(), 5n],
    [Int64(), 2 ** 53],
    [Int64(), -0],
    [Float64(), -0],
    [Float64(), Number.NaN],
    [Float64(), 1e300],
    [Float64(), 5n],
    [Text(), "\ud800"],
    [Text(), "\ufffd"],
    [Text(), new String("boxed")],
    [Timestamp(), new Date(0)],
    [Bytes(), new Uint8Array(2)],
    [Bool(), new Boolean(true)],
    [ArrayOf(Float64()), new Float64Array(2)],
    // eslint-disable-next-line no-sparse-arrays
    [ArrayOf(Float64()), [1, , 2]],
    [ArrayOf(Float64()), [1, undefined]],
    [Record(Float64()), { a: 1, b: undefined }],
    [Record(Float64()), { "\udc00": 1 }],
    [Record(Float64()), JSON.parse('{"__proto__": 1, "constructor": 2}')],
    [Record(Float64()), new Map([["a", 1]])],
    [Record(Float64()), Object.create({ inherited: 1 })],
    [Record(Float64()), { f() {} }],
    [Record(Float64()), { toJSON: () => ({ a: 1 }) }],
    [Record(Record(Float64())), cyclic],
    [Struct({ a: Optional(Float64()) }), { a: undefined }],
    [Struct({ a: Optional(Float64()) }), { [Symbol("s")]: 1 }],
    [Struct({ a: Optional(Float64()) }), { f: () => 1 }],
    [Struct({ a: Float64() }), Object.create({ a: 1 })],
    [Struct({ a: Float64() }), undefined],
    [Struct({ a: Float64() }), null],
  ];
  for (const [type, value] of cases) {
    const both = codecs(type, "packed")!;
    assert.deepEqual(encoded(both[0], value), encoded(both[1], value), `${JSON.stringify(type)} ${String(value)}`);
    const { value: written } = encoded(both[0], value) as { value?: { hex: string } };
    if (written === undefined) continue;
    const bytes = fromHex(written.hex);
    const [native, script] = both.map((codec) => codec.decode(bytes));
    assert.deepEqual(native, script);
    assert.ok(typeof native !== "object" || native === null || Object.getPrototypeOf(native) === Object.getPrototypeOf(script));
  }
  const view = compile(TypeDef.Struct({ a: Float64() }), "aligned");
  const far = new Uint8Array([9, 9, ...view.encode({ a: 2.5 })]);
  assert.deepEqual(view.decode(far.subarray(2)), { a: 2.5 });
});

test("what functions of the caller throw is thrown, and they are not asked again", { skip }, () => {
  const type = TypeDef.Struct({ note: TypeDef.Blob(TypeDef.String()) });
  for (const make of [compile, compileInScript]) {
    const codec = make(type, "packed");
    let asked = 0;
    const fail = (): never => {
      ++asked;
      throw new RangeError("full");
    };
    assert.throws(() => codec.encode({ note: "text" }, { blobs: fail }), /full/);
    assert.equal(asked, 1);
    assert.throws(() => codec.decode(new Uint8Array(16).fill(1), { blobs: fail }), { code: "blob_out_of_range" });
    assert.throws(() => codec.decode(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), { blobs: fail }), /full/);
    assert.equal(asked, 2);
  }
  const big = '{"n":12345678901234567890}';
  const json = compile(TypeDef.Struct({ note: TypeDef.Blob(TypeDef.Json()) }), "packed");
  const store = new BlobStore();
  const bytes = json.encode({ note: JSON.parse(big) }, { blobs: store.write });
  assert.deepEqual(json.decode(bytes, { blobs: store.read }), { note: JSON.parse(big) });
});

test("verdicts are those of Value.Check", { skip }, () => {
  let [good, bad] = [0, 0];
  for (const { schema, values } of generated()) {
    const type = fromJSON(schema);
    for (const value of [...values, 5n, undefined, "\ud800", { toJSON: () => 1 }]) {
      const valid = Value.Check(type, value);
      assert.equal(isValid(type, value), valid, `${JSON.stringify(schema)} ${String(value)}`);
      assert.equal(isValid(schema, value), valid, `${JSON.stringify(schema)} ${String(value)}`);
      valid ? ++good : ++bad;
    }
  }
  assert.ok(good > 100 && bad > 100, `${good} are valid, ${bad} are not`);
  assert.equal(isValid({ type: "string", pattern: "^(?=a)" }, "ab"), true, "a pattern that RE2 does not have");
});
