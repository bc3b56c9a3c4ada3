// The two ends of a connection in memory: what one writes the other reads, in the same pieces.
import { ByteQueue } from '../../../../src/node/streams/byte-queue.js';
import type { Link } from '../../../../src/node/streams/link.js';

export interface LinkPair {
  readonly server: Link;
  readonly client: Link;
}

const end = (incoming: ByteQueue, outgoing: ByteQueue): Link => {
  let closed = false;
  const close = (): void => {
    closed = true;
    outgoing.end();
    incoming.end();
  };
  return {
    incoming,
    write: (data) => (closed ? Promise.reject(new Error('the connection is closed')) : outgoing.push(data)),
    close,
    destroy: close,
  };
};

export const linkPair = (): LinkPair => {
  const up = new ByteQueue();
  const down = new ByteQueue();
  return { server: end(up, down), client: end(down, up) };
};

/** Lets what has been started go on until it waits for something from outside. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
