// The table of tests/codec_cases.py, whose bytes come from an encoder written from the specification alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Codec, compile } from "./codec.ts";
import { SchemaError } from "./error.ts";
import type { LayoutMode } from "./measure.ts";
import { fromHex, toHex } from "../../testing/hex.ts";
import rows from "../../../tests/codec_cases.json";

interface Row {
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly mode: LayoutMode;
  readonly cases: readonly {
    readonly value?: unknown;
    readonly bytes?: string;
    readonly decoded?: unknown;
    readonly error?: string;
  }[];
}

const table = rows as unknown as Row[];

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SchemaError) return error.code;
    throw error;
  }
  return "none";
}

/** Calls `check` with each case. A layout that is refused has cases that say so. */
function forCases(check: (codec: Codec<unknown>, each: Row["cases"][number], about: string) => void): void {
  for (const { name, schema, mode, cases } of table) {
    const refused = codeOf(() => compile(schema, mode));
    for (const each of cases) {
      const about = `${name} ${mode} ${JSON.stringify(each).slice(0, 300)}`;
      if (refused === "none") check(compile(schema, mode), each, about);
      else assert.equal(refused, each.error, about);
    }
  }
}

test("the table's values encode to its bytes, or to its errors", () => {
  forCases((codec, each, about) => {
    if (!("value" in each)) return;
    if (each.error !== undefined)
      assert.equal(
        codeOf(() => codec.encode(each.value)),
        each.error,
        about,
      );
    else assert.equal(toHex(codec.encode(each.value)), each.bytes, about);
  });
});

test("the table's bytes decode to its values, or to its errors", () => {
  forCases((codec, each, about) => {
    if (each.bytes === undefined) return;
    const bytes = fromHex(each.bytes);
    if (each.error !== undefined) {
      assert.equal(
        codeOf(() => codec.decode(bytes)),
        each.error,
        about,
      );
    } else {
      assert.deepEqual(codec.decode(bytes, { strict: true }), "decoded" in each ? each.decoded : each.value, about);
    }
  });
});
