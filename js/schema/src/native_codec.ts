// Codecs over the C++ engine. It says whether something is right; why something is wrong says the codec in TypeScript,
// which then does the work again: so errors, and what only one of them takes, are the same wherever the package runs.
import { nativeSchema } from "#engine";
import type { BlobReader, BlobWriter } from "./blob_store.ts";
import type { Codec, DecodeOptions, EncodeOptions } from "./codec.ts";
import type { NativeCodec } from "./engine/native_schema.ts";
import type { Layout } from "./layout.ts";
import type { LayoutMode } from "./measure.ts";

/** What functions of the caller threw while the engine ran: it is theirs, and nothing is done again. */
class Callbacks {
  readonly thrown: unknown[] = [];
  wrote = false;

  writer(write: BlobWriter | undefined): BlobWriter | undefined {
    if (write === undefined) return undefined;
    return (bytes, alignment) => {
      this.wrote = true;
      return write(bytes, alignment);
    };
  }

  reader(read: BlobReader | undefined): ((offset: number, bytes: number) => Uint8Array) | undefined {
    if (read === undefined) return undefined;
    return (offset, bytes) => {
      if (!Number.isSafeInteger(offset + bytes)) throw new RangeError("no store has so many bytes");
      try {
        return read({ offset, bytes });
      } catch (error) {
        this.thrown.push(error);
        throw error;
      }
    };
  }
}

/** JSON inside of Blobs is JavaScript's: the engine reads large numbers otherwise. */
function hasJson(schema: unknown): boolean {
  return JSON.stringify(schema)?.includes('"TypeDef:Json"') === true;
}

class EngineCodec<T> implements Codec<T> {
  readonly #engine: NativeCodec;
  readonly #inScript: () => Codec<T>;
  readonly #hasJson: boolean;
  #layout: Layout | undefined;

  constructor(engine: NativeCodec, schema: unknown, inScript: () => Codec<T>) {
    this.#engine = engine;
    this.#inScript = inScript;
    this.#hasJson = hasJson(schema);
  }

  get layout(): Layout {
    this.#layout ??= this.#engine.layout;
    return this.#layout;
  }

  encode(value: T, options: Omit<EncodeOptions, "mode"> = {}): Uint8Array {
    if (this.#hasJson) return this.#inScript().encode(value, options);
    const callbacks = new Callbacks();
    try {
      return this.#engine.encode(value, callbacks.writer(options.blobs));
    } catch (error) {
      if (callbacks.wrote) throw error; // the value was right
    }
    return this.#inScript().encode(value, options);
  }

  decode(bytes: Uint8Array, options: Omit<DecodeOptions, "mode"> = {}): T {
    const { blobs, strict = false } = options;
    // The engine's check does not look into Blobs.
    if (this.#hasJson || (strict && blobs !== undefined)) return this.#inScript().decode(bytes, options);
    const callbacks = new Callbacks();
    try {
      if (strict) this.#engine.check(bytes);
      return this.#engine.decode(bytes, callbacks.reader(blobs)) as T;
    } catch {
      if (callbacks.thrown.length > 0) throw callbacks.thrown[0];
    }
    return this.#inScript().decode(bytes, options);
  }
}

/** A codec over the C++ engine; undefined where there is none, and for a schema that it refuses. */
export function nativeCodec<T>(schema: unknown, mode: LayoutMode, compile: () => Codec<T>): Codec<T> | undefined {
  if (nativeSchema === undefined) return undefined;
  let compiled: Codec<T> | undefined;
  const inScript = (): Codec<T> => (compiled ??= compile());
  try {
    return new EngineCodec(new nativeSchema.SchemaCodec(schema, mode), schema, inScript);
  } catch {
    return undefined;
  }
}
