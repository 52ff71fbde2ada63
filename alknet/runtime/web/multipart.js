// multipart/form-data (RFC 7578, as the HTML and Fetch Standards write and read it).
import { host, load } from "alknet:web";

const { Blob, File, FormData, blobBytes } = load("blobs");

const escapeName = (name) => name.replace(/\r\n?|\n/g, "%0D%0A").replaceAll('"', "%22");
const unescapeName = (name) =>
  name.replaceAll("%0D%0A", "\r\n").replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n");

/** The bytes of a form and its boundary. */
export function serializeMultipart(form) {
  const boundary = `----formdata-alknet-${host.randomHex(12)}`;
  const parts = [];
  for (const [name, value] of form) {
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
    if (typeof value === "string") {
      parts.push(`${head}\r\n\r\n${value.replace(/\r\n?|\n/g, "\r\n")}\r\n`);
    } else {
      head += `; filename="${escapeName(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}`;
      parts.push(`${head}\r\n\r\n`, value, "\r\n");
    }
  }
  parts.push(`--${boundary}--\r\n`);
  return { boundary, bytes: blobBytes(new Blob(parts)) };
}

const malformed = (what) => new TypeError(`The body is no multipart/form-data: ${what}`);

function indexOf(bytes, wanted, from) {
  const last = bytes.length - wanted.length;
  for (let at = bytes.indexOf(wanted[0], from); at >= 0 && at <= last; at = bytes.indexOf(wanted[0], at + 1)) {
    let i = 1;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}

function parameter(header, name) {
  const found = new RegExp(`;\\s*${name}="([^"]*)"`, "i").exec(header);
  return found ? unescapeName(found[1]) : undefined;
}

function partOf(bytes, decode) {
  const kBlank = host.utf8Encode("\r\n\r\n");
  const end = indexOf(bytes, kBlank, 0);
  if (end < 0) throw malformed("a part has no end of its head");
  const head = new Map();
  for (const line of decode(bytes.subarray(0, end)).split("\r\n")) {
    if (line === "") continue;
    const at = line.indexOf(":");
    if (at <= 0) throw malformed("a line of a part's head has no colon");
    head.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  const disposition = head.get("content-disposition") ?? "";
  const name = /^form-data\b/i.test(disposition) ? parameter(disposition, "name") : undefined;
  if (name === undefined) throw malformed("a part has no name");
  const content = bytes.subarray(end + 4);
  const filename = parameter(disposition, "filename");
  if (filename === undefined) return [name, decode(content)];
  return [name, new File([content], filename, { type: head.get("content-type") ?? "text/plain" })];
}

/** The FormData that `bytes` hold. */
export function parseMultipart(bytes, boundary) {
  const decode = (part) => host.utf8Decode(part, false, true)[0];
  const form = new FormData();
  const mark = host.utf8Encode(`--${boundary}`);
  let at = indexOf(bytes, mark, 0);
  if (at !== 0 && !(at >= 2 && bytes[at - 2] === 13 && bytes[at - 1] === 10))
    throw malformed("it does not begin with its boundary");
  const next = host.utf8Encode(`\r\n--${boundary}`);
  for (;;) {
    at += at === 0 || bytes[at] !== 13 ? mark.length : next.length;
    if (bytes[at] === 45 && bytes[at + 1] === 45) return form;
    while (bytes[at] === 32 || bytes[at] === 9) at++;
    if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw malformed("a boundary has no end of line");
    const end = indexOf(bytes, next, at);
    if (end < 0) throw malformed("its last boundary is missing");
    const [name, value] = partOf(bytes.subarray(at + 2, Math.max(end, at + 2)), decode);
    form.append(name, value);
    at = end;
  }
}
