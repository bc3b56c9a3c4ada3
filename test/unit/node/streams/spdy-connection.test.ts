import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../../../src/base/manual-clock.js';
import { serveSpdy } from '../../../../src/node/streams/spdy/connection.js';
import type { SpdyStream } from '../../../../src/node/streams/spdy/connection.js';
import { linkPair, settle } from './memory-link.js';
import { SpdyPeer } from './spdy-peer.js';

const start = (accept?: (stream: SpdyStream) => void) => {
  const { server, client } = linkPair();
  const streams: SpdyStream[] = [];
  const clock = new ManualClock();
  const stop = new AbortController();
  const served = serveSpdy(
    { link: server, clock, accept: accept ?? ((stream) => streams.push(stream)) },
    stop.signal,
  );
  served.catch(() => undefined);
  return { peer: new SpdyPeer(client), client, streams, clock, stop, served };
};

const textOf = async (stream: SpdyStream): Promise<string> => {
  let text = '';
  for await (const piece of stream.incoming) text += Buffer.from(piece).toString();
  return text;
};

describe('a SPDY connection', () => {
  it('carries streams side by side, each with its headers, until either side has said all', async () => {
    const { peer, client, streams, served } = start();
    await peer.open(1, { streamtype: 'error' });
    await peer.open(3, { streamtype: 'data' });
    await peer.send(3, 'to three');
    await peer.send(1, 'to one', true);
    await peer.send(3, ', again', true);
    await vi.waitFor(() => {
      expect(streams.map(({ headers }) => headers['streamtype'])).toEqual(['error', 'data']);
    });
    expect(await Promise.all(streams.map(textOf))).toEqual(['to one', 'to three, again']);
    await streams[1]!.write(Buffer.from('from three'));
    await streams[1]!.end();
    await vi.waitFor(() => {
      expect(peer.text(3)).toBe('from three');
    });
    expect(peer.finished(3)).toBe(true);
    expect(peer.finished(1)).toBe(false);
    await expect(streams[1]!.write(Buffer.from('late'))).rejects.toThrow('stream 3 is closed');
    client.close();
    await served;
  });

  it('answers pings of the client, and not the answers to its own', async () => {
    const { peer, client, clock, served } = start();
    await peer.ping(7);
    await peer.ping(8);
    await vi.waitFor(() => {
      expect(peer.frames).toEqual([{ type: 'ping', id: 7 }]);
    });
    await clock.advance(30_000);
    await vi.waitFor(() => {
      expect(peer.frames).toEqual([
        { type: 'ping', id: 7 },
        { type: 'ping', id: 2 },
      ]);
    });
    client.close();
    await served;
  });

  it('gives up a stream that the client resets, and no other', async () => {
    const { peer, client, streams, served } = start();
    await peer.open(1, {});
    await peer.open(3, {});
    await peer.reset(1);
    await vi.waitFor(() => {
      expect(streams[0]!.signal.aborted).toBe(true);
    });
    await expect(streams[0]!.write(Buffer.from('x'))).rejects.toThrow();
    expect(streams[1]!.signal.aborted).toBe(false);
    client.close();
    await served;
    expect(streams[1]!.signal.aborted).toBe(true);
  });

  it('resets a stream that is refused', async () => {
    const { peer, client, served } = start(() => {
      throw new Error('no');
    });
    await peer.open(1, {});
    await vi.waitFor(() => {
      expect(peer.wasReset(1)).toBe(true);
    });
    client.close();
    await served;
  });

  it('ends when a stream is opened twice, or with a number of the server', async () => {
    for (const ids of [[3, 3], [3, 1], [2]]) {
      const { peer, served } = start();
      for (const id of ids) await peer.open(id, {});
      await expect(served).rejects.toThrow('a client cannot open stream');
      await peer.ended;
    }
  });

  it('reads no further while a stream is not read, and lets go of everything when it is stopped', async () => {
    const { peer, client, streams, stop, served } = start();
    await peer.open(1, {});
    await vi.waitFor(() => {
      expect(streams).toHaveLength(1);
    });
    let sent = 0;
    const piece = 'x'.repeat(32 * 1024);
    const sending = (async () => {
      for (; sent < 1000; sent += 1) await peer.send(1, piece);
    })();
    sending.catch(() => undefined);
    await settle();
    await settle();
    // Two queues of a quarter of a MiB, and what is on its way between them.
    expect(sent * piece.length).toBeLessThan(1024 * 1024);
    const before = sent;
    for (let index = 0; index < 10; index += 1) await streams[0]!.incoming.next();
    await vi.waitFor(() => {
      expect(sent).toBeGreaterThan(before);
    });
    stop.abort();
    await served;
    expect(streams[0]!.signal.aborted).toBe(true);
    expect(await streams[0]!.incoming.next()).toEqual({ value: undefined, done: true });
    client.close();
  });
});
