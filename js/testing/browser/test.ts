// What tests use of node:test, where there is no Node: tests are collected by file and run one after the other.

/** What became of a test. */
export interface Result {
  readonly name: string;
  /** undefined: passed. */
  readonly error?: string;
  readonly skipped?: string;
}

interface Options {
  readonly skip?: boolean | string;
}

type Body = () => unknown;

interface Case {
  readonly name: string;
  readonly options: Options;
  readonly body: Body;
}

let cases: Case[] = [];
let befores: Body[] = [];
let afters: Body[] = [];

export function test(name: string, options: Options | Body, body?: Body): void {
  if (typeof options === "function") cases.push({ name, options: {}, body: options });
  else cases.push({ name, options, body: body ?? (() => undefined) });
}

export function before(body: Body): void {
  befores.push(body);
}

export function after(body: Body): void {
  afters.push(body);
}

/** Runs the tests that `load`, the import of a file, declares. */
export async function runFile(load: () => Promise<unknown>): Promise<Result[]> {
  [cases, befores, afters] = [[], [], []];
  const results: Result[] = [];
  try {
    await load();
    for (const body of befores) await body();
    for (const { name, options, body } of cases) results.push(await runCase(name, options, body));
    for (const body of afters) await body();
  } catch (error) {
    results.push({ name: "the file", error: describe(error) });
  }
  return results;
}

async function runCase(name: string, { skip }: Options, body: Body): Promise<Result> {
  if (skip !== undefined && skip !== false) return { name, skipped: String(skip) };
  if (body.length > 0) return { name, skipped: "it asks for the context of node:test" };
  try {
    await body();
    return { name };
  } catch (error) {
    return { name, error: describe(error) };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${String(error)}\n${error.stack ?? ""}` : String(error);
}
