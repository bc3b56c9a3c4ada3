// Tries paths through the network by connecting.
import { connect } from 'node:net';
import type { NetworkPath, NetworkTarget } from '../resources/network-path.js';

const patienceMs = 3_000;
/** At a time: enough to be quick, few enough not to be a load. */
const width = 32;

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
};

const attempt = ({ address, port }: NetworkTarget): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (problem?: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(patienceMs, () => end(`no answer within ${String(patienceMs / 1000)} s`));
    socket.once('connect', () => end());
    socket.once('error', ({ code = '', message }: NodeJS.ErrnoException) => end(sentences[code] ?? message));
  });

export const probePaths = async (
  from: string,
  targets: readonly NetworkTarget[],
): Promise<readonly NetworkPath[]> => {
  const paths: NetworkPath[] = [];
  const left = [...targets];
  const worker = async (): Promise<void> => {
    for (let target = left.shift(); target !== undefined; target = left.shift()) {
      const begin = performance.now();
      const problem = await attempt(target);
      const milliseconds = Math.round((performance.now() - begin) * 10) / 10;
      paths.push({ ...target, from, milliseconds, ...(problem === undefined ? {} : { problem }) });
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return paths;
};
