// What a machine is like before anything of Capstan runs on it.
import { access, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/** True when this process can listen on the port of all addresses. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });

/** Names of what is in a directory; nothing when it does not exist. */
export const entriesOf = async (directory: string): Promise<readonly string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

export const exists = async (path: string): Promise<boolean> => {
  try {
    await access(path);
    return true;
  } catch {
    return false; // not there, or not for this user: either way of no use
  }
};

export interface HostNetwork {
  readonly name: string;
  /** `10.0.0.0/24`, with the host's own address in it. */
  readonly cidr: string;
}

export const hostNetworks = (): readonly HostNetwork[] =>
  Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).flatMap(({ family, cidr }) =>
      family === 'IPv4' && cidr !== null ? [{ name, cidr }] : [],
    ),
  );

export const isRoot = (): boolean => process.getuid?.() === 0;
