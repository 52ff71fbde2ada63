// Response (Fetch Standard, section 5.5).
import { load } from "alknet:web";

import { Body, extract, mixBody } from "./body.js";
import { Headers, freeze } from "./headers.js";

const { dictionary, expose, requireArguments, toByteString, toUnsigned, toUSVString } = load("webidl");

/** The Response to a request: `answer` is {status, statusText, url, redirected, headers, body: Body or null}. */
export let responseOf;

const kNullBody = [101, 103, 204, 205, 304];

function statusOf(value, otherwise) {
  if (value === undefined) return otherwise;
  const status = toUnsigned(value, 16);
  if (status < 200 || status > 599)
    throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
  return status;
}

export class Response {
  #type = "default";
  #url = "";
  #redirected = false;
  #status;
  #statusText;
  #headers;
  #body = null;

  static {
    responseOf = (answer) => {
      const response = new Response(null, { status: 200, statusText: answer.statusText });
      response.#status = answer.status;
      response.#type = "basic";
      response.#url = answer.url;
      response.#redirected = answer.redirected;
      response.#headers = freeze(new Headers(answer.headers));
      response.#body = answer.body;
      return response;
    };
    mixBody(
      this,
      (response) => response.#body,
      (response) => response.#headers.get("content-type"),
    );
  }

  constructor(body = null, init = undefined) {
    const options = dictionary(init, "Response init");
    this.#status = statusOf(options.status, 200);
    this.#statusText = options.statusText === undefined ? "" : toByteString(options.statusText, "Response: statusText");
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(this.#statusText)) throw new TypeError("Invalid statusText");
    this.#headers = new Headers(options.headers);
    if (body !== null) this.#take(extract(body));
  }

  #take({ bytes, stream, type }) {
    if (kNullBody.includes(this.#status))
      throw new TypeError(`Response constructor: Invalid response status code ${this.#status}`);
    this.#body = new Body({ bytes, stream });
    if (type !== null && !this.#headers.has("content-type")) this.#headers.append("Content-Type", type);
  }

  static error() {
    const response = new Response();
    response.#type = "error";
    response.#status = 0;
    freeze(response.#headers);
    return response;
  }

  static redirect(url, status = 302) {
    requireArguments(arguments.length, 1, "Response.redirect");
    const { URL } = load("url");
    let target;
    try {
      target = new URL(toUSVString(url)).href;
    } catch (cause) {
      throw new TypeError(`Failed to parse URL from ${url}`, { cause });
    }
    const code = toUnsigned(status, 16);
    if (![301, 302, 303, 307, 308].includes(code)) throw new RangeError(`Invalid status code ${status}`);
    const response = new Response(null, { status: code, headers: { Location: target } });
    freeze(response.#headers);
    return response;
  }

  static json(data, init = undefined) {
    requireArguments(arguments.length, 1, "Response.json");
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("Value is not JSON serializable");
    const response = new Response(null, init);
    response.#take({ ...extract(text), type: "application/json" });
    return response;
  }

  get type() {
    return this.#type;
  }
  get url() {
    return this.#url;
  }
  get redirected() {
    return this.#redirected;
  }
  get status() {
    return this.#status;
  }
  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }
  get statusText() {
    return this.#statusText;
  }
  get headers() {
    return this.#headers;
  }

  clone() {
    if (this.#body?.unusable) throw new TypeError("Response.clone: Body has already been consumed.");
    const copy = new Response(null, { statusText: this.#statusText, headers: this.#headers });
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#status = this.#status;
    if (this.#type !== "default") freeze(copy.#headers);
    if (this.#body) copy.#body = this.#body.clone();
    return copy;
  }
}
expose(Response, { show: ["status", "statusText", "headers", "bodyUsed", "ok", "redirected", "type", "url"] });
