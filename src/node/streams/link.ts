// A connection that has been upgraded: pieces of bytes both ways, neither side faster than the other can take.
import type { Duplex } from 'node:stream';

export interface Link {
  /**
   * Pieces in their order (the messages of a WebSocket, whatever arrived of a socket); ends when the peer has closed.
   * May be read by one reader. While nobody reads, little is kept and the peer has to wait.
   */
  readonly incoming: AsyncIterable<Uint8Array>;
  /** Resolves when more may be written; rejects when the link is gone. Pieces keep the order of the calls. */
  write(data: Uint8Array): Promise<void>;
  /** Sends what has been written, then closes. Idempotent. */
  close(): void;
  /** Closes at once. Idempotent. */
  destroy(): void;
}

const gone = (): Error => new Error('the connection is closed');

/** Rejects when the stream closes before it takes more. */
export const drained = (stream: Duplex): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off('drain', settle);
      stream.off('close', settle);
      if (stream.destroyed) reject(gone());
      else resolve();
    };
    stream.on('drain', settle);
    stream.on('close', settle);
  });

/** Takes the stream over, with what had arrived before: its errors end it and are nobody else's. */
export const linkOf = (stream: Duplex, head: Uint8Array = new Uint8Array()): Link => {
  stream.on('error', () => undefined);
  if (head.length > 0) stream.unshift(head);
  let waiting: Promise<void> | undefined;
  async function* incoming(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of stream.iterator({ destroyOnReturn: false })) yield piece as Uint8Array;
    } catch {
      // A connection that breaks has ended.
    }
  }
  return {
    incoming: incoming(),
    write: (data) => {
      if (stream.destroyed || stream.writableEnded) return Promise.reject(gone());
      if (stream.write(data)) return Promise.resolve();
      // Many may wait for one stream: they share the listeners.
      waiting ??= drained(stream).finally(() => {
        waiting = undefined;
      });
      return waiting;
    },
    close: () => {
      if (stream.writableEnded || stream.destroyed) return;
      stream.end(() => stream.destroy());
    },
    destroy: () => {
      stream.destroy();
    },
  };
};
