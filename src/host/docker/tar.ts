// Writes small tar archives (ustar) in memory: images that are made here and loaded into the engine.

export interface TarEntry {
  readonly path: string;
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Target of a symbolic link; then `data` is ignored. */
  readonly linkTo?: string;
}

const block = 512;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

const header = ({ path, mode, linkTo }: TarEntry, size: number): Uint8Array => {
  const bytes = Buffer.alloc(block);
  const put = (text: string, offset: number): void => {
    bytes.write(text, offset, 'latin1');
  };
  put(path, 0);
  put(octal(mode, 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(0, 12), 136);
  put('        ', 148);
  put(linkTo === undefined ? '0' : '2', 156);
  put(linkTo ?? '', 157);
  put('ustar\u000000', 257);
  put(
    octal(
      bytes.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
  );
  return bytes;
};

/** Paths and link targets are at most 100 bytes long. */
export const writeTar = (entries: readonly TarEntry[]): Buffer => {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const data = entry.linkTo === undefined ? (entry.data ?? new Uint8Array()) : new Uint8Array();
    parts.push(header(entry, data.byteLength), data);
    const rest = data.byteLength % block;
    if (rest > 0) parts.push(Buffer.alloc(block - rest));
  }
  parts.push(Buffer.alloc(2 * block));
  return Buffer.concat(parts);
};
