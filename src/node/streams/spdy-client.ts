// exec and attach over SPDY: the client opens a stream for each of stdin, stdout, stderr, the error and the terminal's size.
import type { Clock } from '../../base/clock.js';
import { ClusterError } from '../../base/errors.js';
import { terminalSizes } from './command-client.js';
import type { CommandClient, CommandRequest } from './command-client.js';
import type { Link } from './link.js';
import { serveSpdy } from './spdy/connection.js';
import type { SpdyStream } from './spdy/connection.js';

export const commandProtocols = ['v4.channel.k8s.io'] as const;

export interface SpdyClient {
  /** Resolves with all streams that the request needs; rejects when they do not come in time. */
  readonly opened: Promise<CommandClient>;
  /** Ends when the connection does. */
  readonly served: Promise<void>;
}

const patienceMs = 30_000;

const needed = ({ stdin, stdout, stderr, tty }: CommandRequest): readonly string[] => [
  'error',
  ...(stdin ? ['stdin'] : []),
  ...(stdout ? ['stdout'] : []),
  ...(stderr ? ['stderr'] : []),
  ...(tty ? ['resize'] : []),
];

const clientOf = (
  streams: ReadonlyMap<string, SpdyStream>,
  link: Link,
  signal: AbortSignal,
): CommandClient => {
  const resize = streams.get('resize');
  return {
    stdin: streams.get('stdin')?.incoming,
    resizes: resize === undefined ? undefined : terminalSizes(resize.incoming),
    signal,
    write: async (stream, data) => streams.get(stream)?.write(data),
    finish: async (status) => {
      await streams.get('error')?.write(Buffer.from(JSON.stringify(status)));
      for (const stream of streams.values()) await stream.end();
      link.close();
    },
  };
};

export const spdyClient = (
  { link, clock, request }: { readonly link: Link; readonly clock: Clock; readonly request: CommandRequest },
  signal: AbortSignal,
): SpdyClient => {
  const names = needed(request);
  const streams = new Map<string, SpdyStream>();
  const ended = new AbortController();
  let complete: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    complete = resolve;
  });
  const served = serveSpdy(
    {
      link,
      clock,
      accept: (stream) => {
        const name = stream.headers['streamtype'] ?? '';
        if (!names.includes(name) || streams.has(name))
          throw new ClusterError('BadRequest', `invalid stream type "${name}"`);
        streams.set(name, stream);
        if (streams.size === names.length) complete();
      },
    },
    signal,
  ).finally(() => ended.abort(new Error('the client went away')));
  served.catch(() => undefined);
  const opened = (async () => {
    const waiting = new AbortController();
    const late = clock.sleep(patienceMs, AbortSignal.any([waiting.signal, ended.signal])).then(() => {
      throw new ClusterError('BadRequest', 'timed out waiting for the client to create its streams');
    });
    try {
      await Promise.race([all, late]);
    } finally {
      waiting.abort();
      late.catch(() => undefined);
    }
    return clientOf(streams, link, ended.signal);
  })();
  return { opened, served };
};
