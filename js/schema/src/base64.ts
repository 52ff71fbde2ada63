const kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes as base64 with padding (RFC 4648 section 4). */
export function base64Encode(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const left = bytes.length - i;
    const digit = (shift: number): string => kDigits.charAt((group >> shift) & 63);
    parts.push(digit(18) + digit(12) + (left > 1 ? digit(6) : "=") + (left > 2 ? digit(0) : "="));
  }
  return parts.join("");
}

/** The bytes of such text; undefined for another character, missing padding, or bits set behind the last byte. */
export function base64Decode(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const out = new Uint8Array((text.length / 4) * 3 - padding);
  for (let i = 0, at = 0; i < text.length; i += 4) {
    const padded = i + 4 === text.length ? padding : 0;
    let group = 0;
    for (let j = 0; j < 4; ++j) {
      const value = j < 4 - padded ? kDigits.indexOf(text.charAt(i + j)) : 0;
      if (value < 0) return undefined;
      group = (group << 6) | value;
    }
    if ((padded === 1 && (group & 0xff) !== 0) || (padded === 2 && (group & 0xffff) !== 0)) return undefined;
    for (let shift = 16; shift >= 8 * padded; shift -= 8) out[at++] = (group >> shift) & 0xff;
  }
  return out;
}
