// CompressionStream and DecompressionStream (Compression Standard) over the host's zlib.
import { host, load } from "alknet:web";
import { TransformStream } from "web-streams-polyfill";

const { bytesOf, expose, requireArguments } = load("webidl");

const kFormats = ["gzip", "deflate", "deflate-raw"];

/** The two ends of a transform through zlib; `push(bytes, last)` of the host gives what comes out. */
function transformOver(format, inflate, what) {
  const name = `${format}`;
  if (!kFormats.includes(name))
    throw new TypeError(`${what}: '${name}' is no format; these are: ${kFormats.join(", ")}`);
  const coder = host.makeCoder(name, inflate);
  const push = (bytes, last, controller) => {
    // The host gives out at most so much at a time: a small input may stand for very much.
    let rest = bytes;
    for (;;) {
      const { output, used, more } = coder.push(rest, last);
      if (output.length > 0) controller.enqueue(output);
      rest = rest.subarray(used);
      if (!more) return;
    }
  };
  return new TransformStream({
    transform(chunk, controller) {
      push(bytesOf(chunk, `${what}: a chunk`), false, controller);
    },
    flush(controller) {
      push(new Uint8Array(0), true, controller);
    },
  });
}

function define(name, inflate) {
  const Class = {
    [name]: class {
      #transform;
      constructor(format) {
        requireArguments(arguments.length, 1, `${name} constructor`);
        this.#transform = transformOver(format, inflate, name);
      }
      get readable() {
        return this.#transform.readable;
      }
      get writable() {
        return this.#transform.writable;
      }
    },
  }[name];
  return expose(Class, { show: ["readable", "writable"], tag: name });
}

export const CompressionStream = define("CompressionStream", false);
export const DecompressionStream = define("DecompressionStream", true);
