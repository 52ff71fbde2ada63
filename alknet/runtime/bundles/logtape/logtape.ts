// @logtape/logtape as scripts of alknet import it: what nobody configured goes to the log of the program that runs the
// script (install_log), which `configure` replaces as it replaces everything else.
import { getLogger, type LogRecord, type Sink } from "logtape-of-npm";

export * from "logtape-of-npm";

type Write = (level: string, category: string, message: string, properties: string) => void;

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const plain = (_: string, member: unknown): unknown => (member instanceof Error ? String(member) : member);
  try {
    return value instanceof Error ? String(value) : (JSON.stringify(value, plain) ?? String(value));
  } catch {
    return String(value); // a cycle, a BigInt
  }
}

const write = (globalThis as { [key: symbol]: Write | undefined })[Symbol.for("alknet.log")];
if (write !== undefined) {
  const root = getLogger([]) as unknown as { readonly sinks: Sink[] };
  root.sinks.push(({ level, category, message, properties }: LogRecord): void => {
    const text = message.map(textOf).join("");
    write(level, category.join("."), text, Object.keys(properties).length === 0 ? "" : textOf(properties));
  });
}
