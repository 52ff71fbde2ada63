// What the REPL asks about the text that somebody types. The program's command `repl` calls it.
import { transform } from "sucrase";

/** What to do with a text: run it, wait for more lines, or tell what is wrong with it. */
export type Prepared =
  | { kind: "run"; code: string }
  | { kind: "incomplete" }
  | { kind: "invalid"; message: string; line: number; column: number };

/** Names that were declared with let, const and class, which the global object does not show. */
const declared = new Set<string>();

const unfinished = /^Unterminated (?:template|comment|regular expression)/;

const regexBefore = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|void|delete|await|yield))\s*$/;

/** Whether a bracket, a template or a comment is open at the end: more lines must follow. */
function isOpen(source: string): boolean {
  const open: string[] = []; // closers that are awaited; "`" inside a template, "${" inside a hole of one
  const skip = (from: number, end: RegExp): number => {
    end.lastIndex = from;
    return end.exec(source) === null ? source.length : end.lastIndex;
  };
  for (let at = 0; at < source.length; ) {
    const char = source.charAt(at);
    if (open.at(-1) === "`") {
      if (char === "\\") at += 2;
      else if (source.startsWith("${", at)) {
        open.push("${");
        at += 2;
      } else {
        if (char === "`") open.pop();
        ++at;
      }
    } else if (source.startsWith("//", at)) at = skip(at, /$/gm);
    else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2);
      if (end < 0) return true;
      at = end + 2;
    } else if (char === '"') at = skip(at + 1, /(?:\\.|[^"\\\n])*"?/gy);
    else if (char === "'") at = skip(at + 1, /(?:\\.|[^'\\\n])*'?/gy);
    else if (char === "/" && regexBefore.test(source.slice(0, at))) {
      at = skip(at + 1, /(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*\/?/gy);
    } else {
      if ("([{`".includes(char)) open.push(char);
      else if (")]}".includes(char)) open.pop();
      ++at;
    }
  }
  return open.length > 0;
}

/** The place behind the last character. */
function endOf(source: string): { line: number; column: number } {
  const lines = source.split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length };
}

/** Turns what was typed, TypeScript with imports and await, into a script. */
export function prepare(source: string): Prepared {
  if (isOpen(source)) return { kind: "incomplete" };
  let code: string;
  try {
    code = transform(source, {
      transforms: ["typescript", "jsx"],
      jsxRuntime: "classic",
      jsxPragma: "h",
      jsxFragmentPragma: "Fragment",
      production: true,
      disableESTransforms: true,
      keepUnusedImports: true,
    }).code;
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } };
    const text = message.replace(/ \(\d+:\d+\)$/, "");
    const end = endOf(source.trimEnd());
    const atEnd = loc !== undefined && (loc.line > end.line || (loc.line === end.line && loc.column > end.column));
    if (atEnd || unfinished.test(text)) return { kind: "incomplete" };
    return { kind: "invalid", message: text, line: loc?.line ?? 1, column: loc?.column ?? 1 };
  }
  code = withoutImports(code);
  for (const [, name] of code.matchAll(/^(?:let|const|class|async function|function)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gmu)) {
    if (name !== undefined) declared.add(name);
  }
  // An object in braces at the start of a line is meant as one, not as a block.
  const object = /^\s*\{[^]*\}\s*$/.test(code) && !/;\s*\}?\s*$/.test(code);
  return { kind: "run", code: object ? `(${code})` : code };
}

const importForm = /^\s*import\s+(?:([\w$]+)\s*(?:,\s*)?)?(?:\*\s*as\s+([\w$]+)|\{([^}]*)\})?\s*from\s*(["'][^"']+["'])\s*;?/gm;

/** Static imports as dynamic ones: a script has no others. */
function withoutImports(code: string): string {
  const bare = code.replace(/^\s*import\s*(["'][^"']+["'])\s*;?/gm, "await import($1);");
  return bare.replace(importForm, (_, standard?: string, all?: string, some?: string, from?: string) => {
    const parts: string[] = [];
    if (all !== undefined) parts.push(`const ${all} = await import(${from});`);
    const names = (some ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
    if (standard !== undefined) names.push(`default as ${standard}`);
    if (names.length > 0) parts.push(`const { ${names.map((name) => name.replace(/\s+as\s+/, ": ")).join(", ")} } = await import(${from});`);
    return parts.join(" ");
  });
}

/** What may stand where the cursor is, and where in the line that begins. */
export interface Completion {
  from: number;
  words: string[];
}

const keywords = "async await class const else export false for function if import let new null return throw true try typeof undefined while yield".split(" ");

/** Completes the last word of `line`: a member, a name, or a module inside an import. */
export function complete(line: string, modules: readonly string[]): Completion {
  const inImport = /(?:from|import)\s*\(?\s*["']([^"']*)$/.exec(line);
  if (inImport !== null) return among(line, inImport[1] ?? "", modules);
  const [, path = "", word = ""] = /((?:[\p{ID_Start}$_][\p{ID_Continue}$]*\.)*)([\p{ID_Continue}$]*)$/u.exec(line) ?? [];
  if (path === "") return word === "" ? { from: line.length, words: [] } : among(line, word, globalNames());
  return among(line, word, memberNames(valueOf(path.slice(0, -1))));
}

function among(line: string, word: string, names: Iterable<string>): Completion {
  const words = [...new Set(names)].filter((name) => name.startsWith(word)).sort();
  return { from: line.length - word.length, words: word === "" ? words.filter((name) => !name.startsWith("_")) : words };
}

function globalNames(): string[] {
  return [...keywords, ...declared, ...memberNames(globalThis)];
}

/** The value of names with dots between them; undefined when there is none. */
function valueOf(path: string): unknown {
  try {
    return (0, eval)(path);
  } catch {
    return undefined;
  }
}

const showSymbol = Symbol.for("alknet.show");

interface Showing {
  [showSymbol](): Promise<string>;
}

const isShowing = (value: unknown): value is Showing =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, showSymbol) === "function";

/** What a value, or each of a list, says of itself when it has to be waited for; undefined for what can be printed as it is. */
export function shown(value: unknown): Promise<string> | undefined {
  if (isShowing(value)) return value[showSymbol]();
  if (!Array.isArray(value) || value.length === 0 || value.length > 8 || !value.every(isShowing)) return undefined;
  const texts = Promise.all(value.map((item) => item[showSymbol]()));
  return texts.then((all) => `[${all.map((text) => text.replaceAll("\n", "\n ")).join(",\n ")}]`);
}

function memberNames(value: unknown): string[] {
  const names: string[] = [];
  for (let object: unknown = value === null || value === undefined ? null : Object(value); object !== null; object = Object.getPrototypeOf(object)) {
    for (const name of Object.getOwnPropertyNames(object)) {
      if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) names.push(name);
    }
  }
  return names;
}
