// Where in the user's program an operation was called, found out only when it fails.

interface StackTraces {
  stackTraceLimit?: number;
  captureStackTrace?: (target: object, below: unknown) => void;
}

/** A place of a call. */
export interface Site {
  readonly stack?: string;
}

/** The place where `below`, a function of ours, was called. */
export function siteOf(below: unknown): Site {
  const traces = Error as unknown as StackTraces;
  const site: Site = {};
  if (traces.captureStackTrace === undefined) return site;
  const limit = traces.stackTraceLimit;
  traces.stackTraceLimit = 1;
  traces.captureStackTrace(site, below);
  if (limit !== undefined) traces.stackTraceLimit = limit;
  return site;
}

/** "file:line:column", or empty when nobody knows. */
export function placeOf({ stack = "" }: Site): string {
  const line = stack.split("\n").find((text) => /:\d+/.test(text) && /^\s*at /.test(text)) ?? "";
  return /\(?([^()\s]+:\d+(?::\d+)?)\)?\s*$/.exec(line)?.[1] ?? "";
}
