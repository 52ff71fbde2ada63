// The streams of the platform: those of the Streams Standard come from web-streams-polyfill, ours transform text and
// compressed bytes.
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { load } from "alknet:web";

const { keep, platformObject, printAs } = load("webidl");

const kClasses = {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};
const kShown = {
  ReadableStream: ["locked"],
  WritableStream: ["locked"],
  TransformStream: ["readable", "writable"],
  ByteLengthQueuingStrategy: ["highWaterMark"],
  CountQueuingStrategy: ["highWaterMark"],
};
for (const [name, Class] of Object.entries(kClasses)) {
  Object.defineProperty(Class.prototype, platformObject, { value: { clone: null }, configurable: true });
  printAs(Class, (stream, depth, options, inspect) => {
    if (depth < 0) return `[${name}]`;
    return `${name} ${inspect(Object.fromEntries((kShown[name] ?? []).map((key) => [key, stream[key]])), options)}`;
  });
  keep(Class);
}

/** Whether somebody has read from the stream or cancelled it. */
export const isDisturbed = (stream) => stream._disturbed;

export { CompressionStream, DecompressionStream } from "./compression.js";
export { TextDecoderStream, TextEncoderStream } from "./text_streams.js";
export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};
