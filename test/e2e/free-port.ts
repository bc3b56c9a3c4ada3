// A port that nobody listens on right now, below those that the kernel gives to outgoing connections: what is asked for
// now is still free when it is used.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const lowest = 12_000;
/** Outgoing connections begin at 32768. */
const highest = 32_000;
const attempts = 100;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });

export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${String(lowest)} to ${String(highest)} is free`);
};
