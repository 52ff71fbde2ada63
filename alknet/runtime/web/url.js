// URL (URL Standard) over the host's parser.
import { host, load } from "alknet:web";

import { URLSearchParams, follow, setText } from "./url_search_params.js";

const { expose, requireArguments, toUSVString } = load("webidl");

// Where the parts of `href` begin and end, as the host gives them behind it.
const [kHref, kProtocolEnd, kUsernameEnd, kHostStart, kHostEnd, kPathStart, kSearchStart, kHashStart, kOrigin] =
  Array(9).keys();

export class URL {
  #parts;
  #params = null;

  constructor(url, base = undefined) {
    requireArguments(arguments.length, 1, "URL constructor");
    const input = toUSVString(url);
    this.#parts = host.parseUrl(input, base === undefined ? undefined : toUSVString(base));
    if (!this.#parts) throw invalid(input, base);
  }

  static canParse(url, base = undefined) {
    requireArguments(arguments.length, 1, "URL.canParse");
    return Boolean(host.parseUrl(toUSVString(url), base === undefined ? undefined : toUSVString(base)));
  }

  static parse(url, base = undefined) {
    requireArguments(arguments.length, 1, "URL.parse");
    return URL.canParse(url, base) ? new URL(url, base) : null;
  }

  #between(start, end) {
    return this.#parts[kHref].slice(this.#parts[start], this.#parts[end]);
  }

  /** Sets one part; what the standard ignores changes nothing. */
  #set(part, value) {
    const changed = host.setUrl(this.#parts[kHref], part, toUSVString(value));
    if (changed) this.#parts = changed;
  }

  get href() {
    return this.#parts[kHref];
  }
  set href(value) {
    const input = toUSVString(value);
    const parts = host.parseUrl(input, undefined);
    if (!parts) throw invalid(input);
    this.#parts = parts;
    this.#tellParams();
  }
  get origin() {
    return this.#parts[kOrigin];
  }
  get protocol() {
    return this.#parts[kHref].slice(0, this.#parts[kProtocolEnd]);
  }
  set protocol(value) {
    this.#set("protocol", value);
  }
  get username() {
    const start = this.#parts[kProtocolEnd] + 2;
    return start < this.#parts[kUsernameEnd] ? this.#parts[kHref].slice(start, this.#parts[kUsernameEnd]) : "";
  }
  set username(value) {
    this.#set("username", value);
  }
  get password() {
    const text = this.#between(kUsernameEnd, kHostStart);
    return text.startsWith(":") ? text.slice(1) : "";
  }
  set password(value) {
    this.#set("password", value);
  }
  get host() {
    const text = this.#between(kHostStart, kPathStart);
    const host = text.startsWith("@") ? text.slice(1) : text;
    // "/." before a path that begins with "//" belongs to neither.
    return this.#parts[kHostStart] === this.#parts[kHostEnd] && host === "/." ? "" : host;
  }
  set host(value) {
    this.#set("host", value);
  }
  get hostname() {
    const text = this.#between(kHostStart, kHostEnd);
    return text.startsWith("@") ? text.slice(1) : text;
  }
  set hostname(value) {
    this.#set("hostname", value);
  }
  get port() {
    const text = this.#between(kHostEnd, kPathStart);
    return text.startsWith(":") ? text.slice(1) : "";
  }
  set port(value) {
    this.#set("port", value);
  }
  get pathname() {
    return this.#between(kPathStart, kSearchStart);
  }
  set pathname(value) {
    this.#set("pathname", value);
  }
  get search() {
    const text = this.#between(kSearchStart, kHashStart);
    return text.length > 1 ? text : "";
  }
  set search(value) {
    this.#set("search", value);
    this.#tellParams();
  }
  get searchParams() {
    if (!this.#params) {
      this.#params = new URLSearchParams(this.search);
      follow(this.#params, (text) => this.#set("search", text));
    }
    return this.#params;
  }
  get hash() {
    const text = this.#parts[kHref].slice(this.#parts[kHashStart]);
    return text.length > 1 ? text : "";
  }
  set hash(value) {
    this.#set("hash", value);
  }
  toString() {
    return this.href;
  }
  toJSON() {
    return this.href;
  }

  #tellParams() {
    if (this.#params) setText(this.#params, this.search);
  }
}

function invalid(input, base) {
  const error = new TypeError("Invalid URL");
  error.code = "ERR_INVALID_URL";
  error.input = input;
  if (base !== undefined) error.base = `${base}`;
  return error;
}

const kShown = "href origin protocol username password host hostname port pathname search searchParams hash".split(" ");
expose(URL, { show: kShown });

export { URLSearchParams };
export { parseForm } from "./url_search_params.js";
