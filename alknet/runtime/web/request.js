// Request (Fetch Standard, section 5.4).
import { load } from "alknet:web";

import { Body, extract, mixBody } from "./body.js";
import { Headers } from "./headers.js";

const { dictionary, expose, requireArguments, toByteString, toUSVString } = load("webidl");

/** What the network is to be asked: {method, url, headers, body, redirect}. */
export let requestParts;

const kForbidden = ["CONNECT", "TRACE", "TRACK"];
const kNormal = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

function normalMethod(value) {
  const method = toByteString(value, "Request: the method");
  const upper = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || kForbidden.includes(upper)) {
    throw new TypeError(`'${method}' is not a valid HTTP method.`);
  }
  return kNormal.includes(upper) ? upper : method;
}

const kChoices = {
  redirect: ["follow", "error", "manual"],
  mode: ["cors", "navigate", "no-cors", "same-origin"],
  credentials: ["same-origin", "include", "omit"],
  cache: ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
  referrerPolicy: ["", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin"].concat([
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
  ]),
};

function choice(options, key, otherwise) {
  if (options[key] === undefined) return otherwise;
  const text = `${options[key]}`;
  if (!kChoices[key].includes(text)) throw new TypeError(`Request: '${text}' is no value of ${key}`);
  return text;
}

function parseUrl(text) {
  const { URL } = load("url");
  let url;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new TypeError(`Failed to parse URL from ${text}`, { cause });
  }
  if (url.username || url.password)
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${text}`);
  return url.href;
}

export class Request {
  #method = "GET";
  #url;
  #headers;
  #body = null;
  #signal;
  #settings;

  static {
    requestParts = (request) => ({
      method: request.#method,
      url: request.#url,
      headers: [...request.#headers],
      body: request.#body,
      redirect: request.#settings.redirect,
    });
    mixBody(
      this,
      (request) => request.#body,
      (request) => request.#headers.get("content-type"),
    );
  }

  constructor(input, init = undefined) {
    requireArguments(arguments.length, 1, "Request constructor");
    const options = dictionary(init, "Request init");
    const base = input instanceof Request ? input : null;
    this.#url = base ? base.#url : parseUrl(toUSVString(input));
    this.#settings = this.#settingsOf(options, base?.#settings);
    if (base) this.#method = base.#method;
    if (options.method !== undefined) this.#method = normalMethod(options.method);
    this.#signal = this.#signalOf(options, base);
    this.#headers = new Headers(options.headers !== undefined ? options.headers : (base?.#headers ?? undefined));

    const given = options.body !== undefined && options.body !== null;
    if ((given || base?.#body) && (this.#method === "GET" || this.#method === "HEAD")) {
      throw new TypeError("Request with GET/HEAD method cannot have body.");
    }
    if (given) this.#takeBody(options);
    else if (base?.#body) this.#takeBodyOf(base);
  }

  #settingsOf(options, base) {
    const settings = {
      redirect: choice(options, "redirect", base?.redirect ?? "follow"),
      mode: choice(options, "mode", base?.mode ?? "cors"),
      credentials: choice(options, "credentials", base?.credentials ?? "same-origin"),
      cache: choice(options, "cache", base?.cache ?? "default"),
      referrerPolicy: choice(options, "referrerPolicy", base?.referrerPolicy ?? ""),
      integrity: options.integrity === undefined ? (base?.integrity ?? "") : `${options.integrity}`,
      keepalive: options.keepalive === undefined ? (base?.keepalive ?? false) : Boolean(options.keepalive),
    };
    if (settings.mode === "navigate") throw new TypeError("Request: the mode navigate is for browsers");
    if (options.window !== undefined && options.window !== null) throw new TypeError("Request: window must be null");
    return settings;
  }

  #signalOf(options, base) {
    const { AbortSignal } = load("events");
    const signal = options.signal !== undefined ? options.signal : base?.#signal;
    if (signal === null || signal === undefined) return AbortSignal.any([]);
    if (!(signal instanceof AbortSignal)) throw new TypeError("Request: the signal is no AbortSignal");
    return AbortSignal.any([signal]);
  }

  #takeBody(options) {
    const { bytes, stream, type } = extract(options.body);
    if (options.duplex !== undefined && options.duplex !== "half")
      throw new TypeError("Request: duplex must be 'half'");
    if (stream && options.duplex === undefined) {
      throw new TypeError("RequestInit: duplex option is required when sending a body.");
    }
    this.#body = new Body({ bytes, stream });
    if (type !== null && !this.#headers.has("content-type")) this.#headers.append("Content-Type", type);
  }

  /** The body moves: the request that it was taken from counts as read. */
  #takeBodyOf(base) {
    if (base.#body.unusable)
      throw new TypeError("Cannot construct a Request with a Request object that has already been used.");
    const source = base.#body.source;
    this.#body = source
      ? new Body({ bytes: source })
      : new Body({ stream: base.#body.stream.pipeThrough(new (load("streams").TransformStream)()) });
    if (source) base.#body.consume().catch(() => {});
  }

  get method() {
    return this.#method;
  }
  get url() {
    return this.#url;
  }
  get headers() {
    return this.#headers;
  }
  get destination() {
    this.#url;
    return "";
  }
  get referrer() {
    this.#url;
    return "about:client";
  }
  get referrerPolicy() {
    return this.#settings.referrerPolicy;
  }
  get mode() {
    return this.#settings.mode;
  }
  get credentials() {
    return this.#settings.credentials;
  }
  get cache() {
    return this.#settings.cache;
  }
  get redirect() {
    return this.#settings.redirect;
  }
  get integrity() {
    return this.#settings.integrity;
  }
  get keepalive() {
    return this.#settings.keepalive;
  }
  get signal() {
    return this.#signal;
  }
  get duplex() {
    this.#url;
    return "half";
  }

  clone() {
    if (this.#body?.unusable) throw new TypeError("Request.clone: Body has already been consumed.");
    const copy = new Request(this.#url, {
      ...this.#settings,
      method: this.#method,
      headers: this.#headers,
      signal: this.#signal,
    });
    if (this.#body) copy.#body = this.#body.clone();
    return copy;
  }
}
expose(Request, { show: ["method", "url", "headers", "redirect", "signal"] });
