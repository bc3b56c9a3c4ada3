// imagePullSecrets -> the credentials for one image's registry, the most particular first.
// Follows k8s.io/kubernetes pkg/credentialprovider: entries name a host, with `*` for parts of it, and may name a path.
import { isObject } from '../base/json.js';
import type { Pod, Secret } from '../resources/generated/types.js';
import type { References } from './pod-source.js';
import type { RegistryCredentials } from './runtime.js';

interface Entry {
  readonly key: string;
  readonly credentials: RegistryCredentials;
}

const defaultRegistry = 'index.docker.io';

/** `registry:5000/team/app:1@sha256:…` -> registry:5000/team/app; what names no registry is Docker Hub's. */
export const repositoryOf = (image: string): string => {
  const [bare = ''] = image.split('@');
  const name = bare.replace(/:[^:/]+$/, '');
  const [first = '', ...rest] = name.split('/');
  const named = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  if (!named) return `${defaultRegistry}/${rest.length === 0 ? `library/${name}` : name}`;
  return first === 'docker.io' ? `${defaultRegistry}/${rest.join('/')}` : name;
};

const splitKey = (key: string): { readonly host: string; readonly path: string } => {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = slash === -1 ? bare : bare.slice(0, slash);
  // Docker Hub's entry is written as an address of its API.
  const path = slash === -1 ? '' : bare.slice(slash + 1).replace(/^v[12]$/, '');
  return { host: host === 'docker.io' ? defaultRegistry : host, path };
};

const hostMatches = (pattern: string, host: string): boolean => {
  const wanted = pattern.split('.');
  const parts = host.split('.');
  return (
    wanted.length === parts.length &&
    wanted.every((part, index) => {
      const glob = part.split('*').map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
      return new RegExp(`^${glob.join('[^.]*')}$`).test(parts[index] ?? '');
    })
  );
};

/** As in Kubernetes, a path is a prefix that may end within a name. */
const matches = (key: string, repository: string): boolean => {
  const { host, path } = splitKey(key);
  const slash = repository.indexOf('/');
  const rest = repository.slice(slash + 1);
  return hostMatches(host, repository.slice(0, slash)) && (path === '' || rest.startsWith(path));
};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const credentialsOf = (server: string, entry: Readonly<Record<string, unknown>>): RegistryCredentials => {
  const joined = Buffer.from(text(entry['auth']) ?? '', 'base64').toString('utf8');
  const colon = joined.indexOf(':');
  return {
    server,
    username: text(entry['username']) ?? (colon === -1 ? undefined : joined.slice(0, colon)),
    password:
      text(entry['password']) ?? (colon === -1 ? undefined : joined.slice(colon + 1).replace(/\0+$/, '')),
    identityToken: text(entry['identitytoken']),
  };
};

/** The two formats of such secrets; one that is malformed has no entries. */
const entriesOf = ({ data }: Secret): readonly Entry[] => {
  const written = data?.['.dockerconfigjson'] ?? data?.['.dockercfg'];
  if (written === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(written, 'base64').toString('utf8'));
  } catch {
    return [];
  }
  const auths = data?.['.dockerconfigjson'] === undefined ? parsed : isObject(parsed) && parsed['auths'];
  if (!isObject(auths)) return [];
  return Object.entries(auths).flatMap(([key, entry]) =>
    isObject(entry) ? [{ key, credentials: credentialsOf(key, entry) }] : [],
  );
};

export interface PullCredentials {
  readonly credentials: readonly RegistryCredentials[];
  /** Secrets that do not exist: the pull is tried without them. */
  readonly missing: readonly string[];
  /** Not all secrets are known yet. */
  readonly unknown: boolean;
}

export const pullCredentials = (pod: Pod, image: string, references: References): PullCredentials => {
  const repository = repositoryOf(image);
  const entries: Entry[] = [];
  const missing: string[] = [];
  let unknown = false;
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const found = references.secret(pod.metadata.namespace ?? '', name);
    if (found.state === 'unknown') unknown = true;
    else if (found.state === 'absent') missing.push(name);
    else entries.push(...entriesOf(found.object).filter(({ key }) => matches(key, repository)));
  }
  const particular = (a: Entry, b: Entry): number =>
    splitKey(b.key).path.length - splitKey(a.key).path.length;
  return {
    credentials: [...entries].sort(particular).map(({ credentials }) => credentials),
    missing,
    unknown,
  };
};
