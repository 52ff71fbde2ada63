#pragma once

#include <string_view>

namespace alknet::platform {

/// `WebSocket` (WebSockets Standard) over `connect(url, protocols, handlers)` of the host. A function of `connect`.
inline constexpr std::string_view kWebSocketScript = R"js((connect) => {
  "use strict";
  const kNames = ["open", "message", "error", "close"];
  const kToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const kStates = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
  const refuse = (name, message) => { throw new DOMException(message, name); };

  class CloseEvent extends Event {
    #facts;
    constructor(type, { wasClean = false, code = 0, reason = "", ...rest } = {}) {
      super(type, rest);
      this.#facts = { wasClean: Boolean(wasClean), code: Number(code), reason: String(reason) };
    }
    get wasClean() { return this.#facts.wasClean; }
    get code() { return this.#facts.code; }
    get reason() { return this.#facts.reason; }
  }

  function addressOf(text) {
    let url;
    try { url = new URL(text); } catch { refuse("SyntaxError", `'${text}' is no URL`); }
    if (url.protocol === "http:") url.protocol = "ws:";
    if (url.protocol === "https:") url.protocol = "wss:";
    if (url.protocol !== "ws:" && url.protocol !== "wss:") refuse("SyntaxError", `${url.protocol} is no scheme of WebSockets`);
    if (url.hash !== "" || url.href.endsWith("#")) refuse("SyntaxError", "the URL of a WebSocket has no fragment");
    return url.href;
  }

  class WebSocket extends EventTarget {
    #url; #host; #state = 0; #protocol = ""; #binaryType = "blob"; #handlers = {}; #blobs = null;

    constructor(url, protocols = []) {
      super();
      this.#url = addressOf(String(url));
      const list = typeof protocols === "string" ? [protocols] : Array.from(protocols, String);
      if (list.some((name) => !kToken.test(name)) || new Set(list.map((name) => name.toLowerCase())).size < list.length) {
        refuse("SyntaxError", "subprotocols are tokens, each once");
      }
      this.#host = connect(this.#url, list, {
        opened: (protocol) => {
          this.#protocol = protocol;
          this.#state = Math.max(this.#state, 1);
          this.dispatchEvent(new Event("open"));
        },
        message: (data) => {
          if (this.#state !== 1) return;
          const shown = typeof data === "string" || this.#binaryType === "arraybuffer" ? data : new Blob([data]);
          this.dispatchEvent(new MessageEvent("message", { data: shown, origin: new URL(this.#url).origin }));
        },
        closed: (code, reason, wasClean) => {
          this.#state = 3;
          if (!wasClean) this.dispatchEvent(new Event("error"));
          this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
        },
      });
    }

    get url() { return this.#url; }
    get readyState() { return this.#state; }
    get protocol() { return this.#protocol; }
    get extensions() { return ""; }
    get bufferedAmount() { return this.#host.buffered(); }
    get binaryType() { return this.#binaryType; }
    set binaryType(type) { if (type === "blob" || type === "arraybuffer") this.#binaryType = type; }

    send(data) {
      if (arguments.length === 0) throw new TypeError("WebSocket.send: 1 argument required, but only 0 present.");
      if (this.#state === 0) refuse("InvalidStateError", "the WebSocket is still connecting");
      const bytes = data instanceof Blob ? data : ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data : String(data);
      if (this.#blobs === null && !(bytes instanceof Blob)) return this.#host.send(bytes);
      // What comes behind a Blob waits until it is read.
      const own = typeof bytes === "string" || bytes instanceof Blob ? bytes : new Uint8Array(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength));
      const sent = (this.#blobs ?? Promise.resolve()).then(async () => {
        this.#host.send(own instanceof Blob ? await own.arrayBuffer() : own);
        if (this.#blobs === sent) this.#blobs = null;
      });
      this.#blobs = sent;
    }

    close(code = undefined, reason = "") {
      if (code !== undefined) {
        code = Math.trunc(Number(code));
        if (code !== 1000 && !(code >= 3000 && code <= 4999)) refuse("InvalidAccessError", `${code} is no code that a program may close with`);
      }
      const text = String(reason);
      if (new TextEncoder().encode(text).length > 123) refuse("SyntaxError", "the reason has more than 123 bytes");
      if (this.#state >= 2) return;
      this.#state = 2;
      const end = () => this.#host.close(code ?? 1000, text);
      if (this.#blobs === null) end(); else this.#blobs.then(end);
    }

    static {
      for (const name of kNames) {
        Object.defineProperty(this.prototype, "on" + name, {
          configurable: true, enumerable: true,
          get() { return this.#handlers[name]?.handler ?? null; },
          set(handler) {
            const old = this.#handlers[name];
            if (old !== undefined) this.removeEventListener(name, old.listener);
            delete this.#handlers[name];
            if (typeof handler !== "function") return;
            const listener = (event) => handler.call(this, event);
            this.#handlers[name] = { handler, listener };
            this.addEventListener(name, listener);
          },
        });
      }
      kStates.forEach((name, value) => {
        for (const owner of [this, this.prototype]) Object.defineProperty(owner, name, { value, enumerable: true });
      });
      Object.defineProperty(this.prototype, Symbol.toStringTag, { value: "WebSocket", configurable: true });
    }
  }
  return { WebSocket, CloseEvent };
})js";

}  // namespace alknet::platform
