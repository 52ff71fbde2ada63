// Just what `$id` and `$ref` need of RFC 3986. URL is not there in every engine.

interface Uri {
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

/** Splits a URI reference (RFC 3986 appendix B). */
function parse(text: string): Uri {
  const found = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text);
  return { scheme: found?.[1], authority: found?.[2], path: found?.[3] ?? "", query: found?.[4], fragment: found?.[5] };
}

/** Section 5.2.4. */
function removeDots(path: string): string {
  const out: string[] = [];
  const steps = path.split("/");
  for (const [i, step] of steps.entries()) {
    const last = i === steps.length - 1;
    if (step === ".." && out.length > 1) out.pop();
    if (step !== "." && step !== "..") out.push(step);
    else if (last) out.push("");
  }
  return out.join("/");
}

/** A reference resolved against a base (section 5.2.2): the URI without its fragment, and the fragment. */
export function resolveUri(base: string, reference: string): { readonly uri: string; readonly fragment: string } {
  const from = parse(base);
  const to = parse(reference);
  let { scheme, authority, path, query } = to;
  if (scheme === undefined) {
    scheme = from.scheme;
    if (authority === undefined) {
      authority = from.authority;
      if (path === "") {
        path = from.path;
        query ??= from.query;
      } else if (!path.startsWith("/")) {
        const rooted = from.authority !== undefined && from.path === "";
        path = rooted ? `/${path}` : from.path.slice(0, from.path.lastIndexOf("/") + 1) + path;
      }
    }
  }
  if (path.startsWith("/") || scheme !== undefined) path = removeDots(path);
  const head = (scheme === undefined ? "" : `${scheme}:`) + (authority === undefined ? "" : `//${authority}`);
  return { uri: head + path + (query === undefined ? "" : `?${query}`), fragment: decode(to.fragment ?? "") };
}

/** Percent-decodes; text that is not so encoded stays as it is. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
