// WebSocket and CloseEvent (WebSockets Standard) over the host's `connect`; web.h has its contract.
import { host, load } from "alknet:web";

const { Blob } = load("blobs");
const { Event, EventTarget, MessageEvent, fire } = load("events");
const { URL } = load("url");
const {
  bytesOf,
  defineConstants,
  defineEventHandler,
  dictionary,
  expose,
  isBufferSource,
  requireArguments,
  toUnsigned,
} = load("webidl");

const kToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const kStates = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
const kLongestReason = 123; // bytes

const refuse = (name, message) => {
  throw new DOMException(message, name);
};

export class CloseEvent extends Event {
  #wasClean;
  #code;
  #reason;

  constructor(type, init = undefined) {
    super(...arguments);
    const options = dictionary(init, "CloseEvent init");
    this.#wasClean = Boolean(options.wasClean);
    this.#code = options.code === undefined ? 0 : toUnsigned(options.code, 16);
    this.#reason = options.reason === undefined ? "" : `${options.reason}`.toWellFormed();
  }

  get wasClean() {
    return this.#wasClean;
  }
  get code() {
    return this.#code;
  }
  get reason() {
    return this.#reason;
  }
}
expose(CloseEvent, { show: ["type", "wasClean", "code", "reason"] });

function addressOf(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    refuse("SyntaxError", `'${text}' is no URL`);
  }
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:")
    refuse("SyntaxError", `${url.protocol} is no scheme of WebSockets`);
  if (url.hash !== "" || url.href.endsWith("#")) refuse("SyntaxError", "the URL of a WebSocket has no fragment");
  return url.href;
}

function protocolsOf(given) {
  const list = typeof given === "object" && given !== null ? Array.from(given, (name) => `${name}`) : [`${given}`];
  const once = new Set(list.map((name) => name.toLowerCase()));
  if (once.size < list.length || list.some((name) => !kToken.test(name)))
    refuse("SyntaxError", "subprotocols are tokens, each once");
  return list;
}

export class WebSocket extends EventTarget {
  #url;
  #connection;
  #state = kStates.CONNECTING;
  #protocol = "";
  #binaryType = "blob";
  #sending = null; // until the Blobs that were sent are read, what comes behind them waits

  constructor(url, protocols = []) {
    requireArguments(arguments.length, 1, "WebSocket constructor");
    super();
    this.#url = addressOf(`${url}`);
    this.#connection = host.connect(this.#url, protocolsOf(protocols), {
      opened: (protocol) => {
        this.#protocol = protocol;
        if (this.#state === kStates.CONNECTING) this.#state = kStates.OPEN;
        fire(this, new Event("open"));
      },
      message: (data) => {
        if (this.#state !== kStates.OPEN) return;
        const shown = typeof data === "string" || this.#binaryType === "arraybuffer" ? data : new Blob([data]);
        fire(this, new MessageEvent("message", { data: shown, origin: new URL(this.#url).origin }));
      },
      closed: (code, reason, wasClean) => {
        this.#state = kStates.CLOSED;
        if (!wasClean) fire(this, new Event("error"));
        fire(this, new CloseEvent("close", { code, reason, wasClean }));
      },
    });
  }

  get url() {
    return this.#url;
  }
  get readyState() {
    return this.#state;
  }
  get protocol() {
    return this.#protocol;
  }
  get extensions() {
    this.#url;
    return "";
  }
  get bufferedAmount() {
    return this.#connection.buffered();
  }
  get binaryType() {
    return this.#binaryType;
  }
  set binaryType(type) {
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  send(data) {
    requireArguments(arguments.length, 1, "WebSocket.send");
    if (this.#state === kStates.CONNECTING) refuse("InvalidStateError", "the WebSocket is still connecting");
    const isBlob = typeof data === "object" && data !== null && data instanceof Blob;
    const content = isBlob ? data : isBufferSource(data) ? bytesOf(data, "WebSocket.send: the data") : `${data}`;
    if (this.#sending === null && !isBlob) return this.#connection.send(content);
    this.#queue(isBlob || typeof content === "string" ? content : content.slice());
  }

  #queue(content) {
    const sent = (this.#sending ?? Promise.resolve()).then(async () => {
      this.#connection.send(content instanceof Blob ? await content.arrayBuffer() : content);
      if (this.#sending === sent) this.#sending = null;
    });
    this.#sending = sent;
  }

  close(code = undefined, reason = "") {
    const number = code === undefined ? 1000 : Math.trunc(Number(code));
    if (number !== 1000 && !(number >= 3000 && number <= 4999))
      refuse("InvalidAccessError", `${number} is no code that a program may close with`);
    const text = `${reason}`;
    if (host.utf8Encode(text).length > kLongestReason)
      refuse("SyntaxError", `the reason has more than ${kLongestReason} bytes`);
    if (this.#state >= kStates.CLOSING) return;
    this.#state = kStates.CLOSING;
    const end = () => this.#connection.close(number, text);
    if (this.#sending === null) end();
    else this.#sending.then(end);
  }
}
expose(WebSocket, { show: ["url", "readyState", "protocol", "bufferedAmount", "binaryType"] });
defineConstants(WebSocket, kStates);
for (const type of ["open", "message", "error", "close"]) defineEventHandler(WebSocket.prototype, type);
