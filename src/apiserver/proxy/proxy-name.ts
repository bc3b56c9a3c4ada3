// Names behind which one is proxied to: `web`, `web:http`, `https:web:8443`. Pure.
import { ClusterError } from '../../base/errors.js';

export interface ProxyName {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  /** A number or a name; '' where none is given. */
  readonly port: string;
}

/** Throws BadRequest for what is no such name. */
export const parseProxyName = (text: string): ProxyName => {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return { scheme: 'http', name: first, port: '' };
  if (parts.length === 2) return { scheme: 'http', name: first, port: second };
  if (parts.length === 3 && (first === '' || first === 'http' || first === 'https'))
    return { scheme: first === 'https' ? 'https' : 'http', name: second, port: third };
  throw new ClusterError(
    'BadRequest',
    `${JSON.stringify(text)} is none of NAME, NAME:PORT and http|https:NAME:PORT`,
  );
};

export const portNumber = (text: string): number | undefined => {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 65535 ? port : undefined;
};

/** What the name of a pod, a service or a node in a path is, without scheme and port. */
export const plainName = (text: string): string => {
  const parts = text.split(':');
  return (parts.length === 3 ? parts[1] : parts[0]) ?? text;
};
