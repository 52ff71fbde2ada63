// TextEncoder is not there in every engine, so UTF-8 is done here.

/** The first index of `text` that is half of a surrogate pair without the other half, or -1. */
export function findLoneSurrogate(text: string): number {
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = unit < 0xdc00 ? text.charCodeAt(i + 1) : 0;
    if (!(next >= 0xdc00 && next <= 0xdfff)) return i; // also at the end, where it is NaN
    ++i;
  }
  return -1;
}

/** The number of bytes of `text` in UTF-8; no lone surrogates. */
export function utf8Length(text: string): number {
  let size = 0;
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdfff) {
      size += 4;
      ++i;
    } else {
      size += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    }
  }
  return size;
}

/** `text` in UTF-8; no lone surrogates. */
export function utf8Encode(text: string): Uint8Array {
  const out = new Uint8Array(utf8Length(text));
  let at = 0;
  const put = (code: number, shift: number): void => {
    out[at++] = 0x80 | ((code >> shift) & 0x3f);
  };
  for (let i = 0; i < text.length; ++i) {
    const code = text.codePointAt(i) as number;
    if (code < 0x80) {
      out[at++] = code;
    } else if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      put(code, 0);
    } else if (code < 0x10000) {
      out[at++] = 0xe0 | (code >> 12);
      put(code, 6);
      put(code, 0);
    } else {
      out[at++] = 0xf0 | (code >> 18);
      put(code, 12);
      put(code, 6);
      put(code, 0);
      ++i;
    }
  }
  return out;
}

/** What a lead byte says: bytes that follow, and the range of the first of them (Unicode table 3-7). */
function sequence(lead: number): readonly [number, number, number] | undefined {
  if (lead >= 0xc2 && lead <= 0xdf) return [1, 0x80, 0xbf];
  if (lead === 0xe0) return [2, 0xa0, 0xbf];
  if (lead === 0xed) return [2, 0x80, 0x9f];
  if (lead >= 0xe1 && lead <= 0xef) return [2, 0x80, 0xbf];
  if (lead === 0xf0) return [3, 0x90, 0xbf];
  if (lead >= 0xf1 && lead <= 0xf3) return [3, 0x80, 0xbf];
  if (lead === 0xf4) return [3, 0x80, 0x8f];
  return undefined;
}

/** The text of well-formed UTF-8, or the index of the first byte of what is not. */
export function utf8Decode(bytes: Uint8Array): string | number {
  const kChunk = 4096;
  let text = "";
  let units: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      units.push(lead);
      ++at;
    } else {
      const rule = sequence(lead);
      if (rule === undefined) return at;
      const [more, low, high] = rule;
      let code = lead & (0x3f >> more);
      for (let i = 1; i <= more; ++i) {
        const byte = bytes[at + i] ?? 0;
        if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return at;
        code = (code << 6) | (byte & 0x3f);
      }
      if (code < 0x10000) {
        units.push(code);
      } else {
        units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      }
      at += more + 1;
    }
    if (units.length >= kChunk) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}
