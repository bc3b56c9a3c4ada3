// Two connections made one: what arrives on either goes out on the other, no faster than that takes it.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const listeners = 30;

/** Resolves when both are closed: an end on either side ends both, after what had been read is written. */
export const splice = async (one: Duplex, other: Duplex): Promise<void> => {
  // Both ways together listen more often than a leak would need to.
  one.setMaxListeners(listeners);
  other.setMaxListeners(listeners);
  // A connection that breaks has ended: the other follows.
  one.on('error', () => undefined);
  other.on('error', () => undefined);
  const ways = [pipeline(one, other), pipeline(other, one)];
  await Promise.race(ways.map((way) => way.catch(() => undefined)));
  one.destroy();
  other.destroy();
  await Promise.allSettled(ways);
};
