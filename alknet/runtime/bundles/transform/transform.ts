// TypeScript and TSX to JavaScript, line by line. What the C++ class Transformer calls.
import { type Options, transform as sucrase } from "sucrase";

/** What became of a file: JavaScript or a source map, or what is wrong with it. */
export type Outcome = { text: string } | { message: string; line: number; column: number };

const importSource = /^\s*(?:\/\/[^\n]*\n\s*)*\/\*\*?[^]*?@jsxImportSource\s+(\S+)|^\s*(?:\/\/[^\n]*\n\s*)*?\/\/\s*@jsxImportSource\s+(\S+)/;

/** `places`: elements of alknet's trees know where they were written. */
function optionsFor(path: string, source: string, places: boolean): Options {
  const pragma = importSource.exec(source.slice(0, 4096));
  return {
    transforms: /\.[jt]sx$/.test(path) ? ["typescript", "jsx"] : ["typescript"],
    filePath: path,
    jsxRuntime: "automatic",
    jsxImportSource: pragma?.[1] ?? pragma?.[2] ?? "@alknet/ujsx",
    production: !places || pragma !== null,
    disableESTransforms: true,
  };
}

function guarded(path: string, make: () => string): Outcome {
  try {
    return { text: make() };
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } };
    const what = message.replace(`Error transforming ${path}: `, "").replace(/ \(\d+:\d+\)$/, "");
    return { message: what, line: loc?.line ?? 1, column: loc?.column ?? 1 };
  }
}

/** JavaScript of a file. */
export function transform(path: string, source: string, places: boolean): Outcome {
  return guarded(path, () => sucrase(source, optionsFor(path, source, places)).code);
}

/** The source map of what `transform` gives. */
export function sourceMap(path: string, source: string, places: boolean): Outcome {
  return guarded(path, () => {
    const options = { ...optionsFor(path, source, places), sourceMapOptions: { compiledFilename: path } };
    return JSON.stringify(sucrase(source, options).sourceMap);
  });
}
