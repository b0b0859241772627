/** Masks as a file of NumPy: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0. */

const ALIGNMENT = 64;
const MAGIC_BYTES = 10;

/** Masks of frames, 0 and 1, uint8 (frames, height, width). */
export function npy(masks: readonly Uint8Array[], height: number, width: number): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${masks.length}, ${height}, ${width}), }`;
  const length = Math.ceil((MAGIC_BYTES + text.length + 1) / ALIGNMENT) * ALIGNMENT - MAGIC_BYTES;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const bytes = new Uint8Array(MAGIC_BYTES + length + masks.length * height * width);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
  bytes.set(header, MAGIC_BYTES);
  masks.forEach((mask, index) => bytes.set(unpack(mask, height * width), MAGIC_BYTES + length + index * height * width));
  return bytes;
}

/** Pack a mask of 0 and 1, eight pixels a byte. */
export function pack(mask: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(mask.length / 8));
  for (let at = 0; at < mask.length; at++) packed[at >> 3]! |= mask[at]! << (at & 7);
  return packed;
}

/** Where any of some packed masks of one size is 1, packed. */
export function union(masks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(masks[0]?.length ?? 0);
  for (const mask of masks) mask.forEach((bits, at) => (all[at]! |= bits));
  return all;
}

/** The opposite of `pack`. */
export function unpack(packed: Uint8Array, pixels: number): Uint8Array {
  const mask = new Uint8Array(pixels);
  for (let at = 0; at < pixels; at++) mask[at] = (packed[at >> 3]! >> (at & 7)) & 1;
  return mask;
}
