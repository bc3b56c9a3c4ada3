// The log of a container as a stream of bytes.
import type { Readable } from 'node:stream';
import type { LogOptions } from '../../node/runtime.js';
import { call, engineError } from './engine.js';
import type { Engine } from './engine.js';
import { demultiplex, plain } from './frames.js';

/** Seconds with a fraction, as the engine reads times. */
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

const query = ({ follow, timestamps, tail, since }: LogOptions): object => ({
  stdout: true,
  stderr: true,
  follow,
  timestamps,
  ...(tail === undefined ? {} : { tail }),
  ...(since === undefined ? {} : { since: seconds(since) }),
});

async function* limited(source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let left = limit;
  if (left <= 0) return;
  for await (const chunk of source) {
    yield chunk.byteLength <= left ? chunk : chunk.subarray(0, left);
    left -= chunk.byteLength;
    if (left <= 0) return;
  }
}

/** Always as a stream: the library's own verb would hold a whole log in memory unless it is followed. */
const open = (
  engine: Engine,
  { id, options }: { readonly id: string; readonly options: LogOptions },
  signal: AbortSignal,
): Promise<Readable> =>
  new Promise((resolve, reject) => {
    const request = {
      path: `/containers/${id}/logs?`,
      method: 'GET',
      isStream: true,
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
      options: query(options),
      abortSignal: signal,
    };
    engine.docker.modem.dial(request, (error: unknown, stream) => {
      if (error === null || error === undefined) resolve(stream as Readable);
      else reject(error);
    });
  });

/** Podman counts whole seconds and sends each line by itself; clients expect the fraction. */
const exact = (line: Uint8Array): Uint8Array =>
  Buffer.from(
    Buffer.from(line)
      .toString('latin1')
      .replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:\d\d) /, '$1.000000000$2 '),
    'latin1',
  );

async function* read(
  engine: Engine,
  request: { readonly id: string; readonly options: LogOptions },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const container = engine.docker.getContainer(request.id);
  const { Config: config } = await call(engine, signal, () => container.inspect({ abortSignal: signal }));
  const stream = await call(engine, signal, () => open(engine, request, signal));
  try {
    const rough = engine.flavor === 'podman' && request.options.timestamps;
    for await (const { data } of config.Tty ? plain(stream) : demultiplex(stream))
      yield rough ? exact(data) : data;
  } catch (error) {
    throw engineError(engine.host, error, signal);
  } finally {
    stream.destroy();
  }
}

export const readLogs = (
  engine: Engine,
  request: { readonly id: string; readonly options: LogOptions },
  signal: AbortSignal,
): AsyncIterable<Uint8Array> => {
  const lines = read(engine, request, signal);
  const { limitBytes } = request.options;
  return limitBytes === undefined ? lines : limited(lines, limitBytes);
};
