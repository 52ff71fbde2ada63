// TextEncoderStream and TextDecoderStream (Encoding Standard, section 7.6).
import { host, load } from "alknet:web";
import { TransformStream } from "web-streams-polyfill";

const { expose } = load("webidl");
const { TextDecoder } = load("encoding");

export class TextEncoderStream {
  #transform;

  constructor() {
    let high = ""; // the first half of a pair that the chunk before ended with
    this.#transform = new TransformStream({
      transform(chunk, controller) {
        let text = high + chunk;
        high = /[\ud800-\udbff]$/.test(text) ? text.at(-1) : "";
        if (high) text = text.slice(0, -1);
        if (text) controller.enqueue(host.utf8Encode(text));
      },
      flush(controller) {
        if (high) controller.enqueue(host.utf8Encode("\ufffd"));
      },
    });
  }

  get encoding() {
    this.#transform;
    return "utf-8";
  }
  get readable() {
    return this.#transform.readable;
  }
  get writable() {
    return this.#transform.writable;
  }
}
expose(TextEncoderStream, { show: ["encoding", "readable", "writable"] });

export class TextDecoderStream {
  #decoder;
  #transform;

  constructor(label = "utf-8", options = undefined) {
    const decoder = new TextDecoder(label, options);
    this.#decoder = decoder;
    this.#transform = new TransformStream({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text) controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text) controller.enqueue(text);
      },
    });
  }

  get encoding() {
    return this.#decoder.encoding;
  }
  get fatal() {
    return this.#decoder.fatal;
  }
  get ignoreBOM() {
    return this.#decoder.ignoreBOM;
  }
  get readable() {
    return this.#transform.readable;
  }
  get writable() {
    return this.#transform.writable;
  }
}
expose(TextDecoderStream, { show: ["encoding", "fatal", "ignoreBOM", "readable", "writable"] });
