// Splits the engine's multiplexed streams into the output of the two streams of a container.

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

const headerBytes = 8;
/** The first byte of a frame; 3 is an error of the engine's own, which it writes for people. */
const stderr = 2;

/** Each frame: one byte for the stream, three of nothing, four for the length (big endian), the data. */
export async function* demultiplex(source: AsyncIterable<Uint8Array>): AsyncGenerator<OutputChunk> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.byteLength >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4);
      if (rest.byteLength < end) break;
      const stream = (rest[0] ?? 1) >= stderr ? 'stderr' : 'stdout';
      const data = rest.subarray(headerBytes, end);
      rest = rest.subarray(end);
      if (data.byteLength > 0) yield { stream, data };
    }
  }
}

/** The stream of a container with a terminal is not multiplexed. */
export async function* plain(source: AsyncIterable<Uint8Array>): AsyncGenerator<OutputChunk> {
  for await (const data of source) yield { stream: 'stdout', data };
}
