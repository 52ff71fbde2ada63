import { spawnSync } from "node:child_process";

/** A question to the C++ engine; see tests/schema_batch.cc. */
export interface Request {
  readonly schema: unknown;
  readonly op: "validate" | "lower" | "layout" | "encode" | "decode" | "check" | "diff";
  /** diff: the new schema. */
  readonly after?: unknown;
  readonly mode?: "packed" | "aligned";
  readonly value?: unknown;
  readonly hex?: string;
  readonly store?: string;
}

/** Its answer. */
export interface Answer {
  readonly value?: unknown;
  readonly hex?: string;
  readonly store?: string;
  readonly error?: string;
  readonly message?: string;
}

/** The engine's program, or undefined. */
export const kEngine = process.env["ALKNET_SCHEMA_BATCH"];

/** Why the tests that need it are skipped, or false. */
export const kNoEngine = kEngine === undefined ? "ALKNET_SCHEMA_BATCH names no program (tests/schema_batch.cc)" : false;

/** The engine's answers, in order. */
export function ask(requests: readonly Request[]): Answer[] {
  const input = requests.map((request) => JSON.stringify(request)).join("\n");
  const run = spawnSync(kEngine ?? "", { input: `${input}\n`, encoding: "utf8", maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(`${kEngine} ended with ${run.status ?? run.signal}: ${run.stderr}`);
  return run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}
