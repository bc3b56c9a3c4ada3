// What this machine is called and where others reach it.
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';

/** Lower case, as node names are. */
export const machineName = (): string => hostname().toLowerCase();

const defaultInterface = (): string | undefined => {
  try {
    const routes = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1);
    return routes.map((line) => line.split('\t')).find(([, destination]) => destination === '00000000')?.[0];
  } catch {
    return undefined; // no procfs: any interface will do
  }
};

/** IPv4 address of the interface that has the default route; of any other one without it; loopback on a lonely machine. */
export const primaryAddress = (): string => {
  const interfaces = networkInterfaces();
  const preferred = defaultInterface();
  const names = [...(preferred === undefined ? [] : [preferred]), ...Object.keys(interfaces)];
  const addresses = names.flatMap((name) => interfaces[name] ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
};
