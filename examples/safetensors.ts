// Tensors as one file of the safetensors format, which metatensor extends: used by digits.tsx.

/** A tensor of 32-bit floats. */
export interface FloatTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayBuffer;
}

/** The bytes of a file: the size of the header, the header as JSON, the data. */
export function safetensors(tensors: readonly FloatTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8)); // data begins at a multiple of 8
  const file = new Uint8Array(8 + header.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of tensors) {
    file.set(new Uint8Array(data), at);
    at += data.byteLength;
  }
  return file;
}
