// Flags, environment and configuration file -> one record. A flag, a key of the file and a setting share one name.
import { parse, stringify } from 'yaml';
import { parseDuration } from '../base/duration.js';
import { ClusterError } from '../base/errors.js';
import { parseSpans, type AddressSpan } from '../base/ipv4.js';
import { isObject } from '../base/json.js';
import { ingressSettings, type IngressSettings } from './ingress-settings.js';
import { oidcSettings, type OidcSettings } from './oidc-settings.js';
import { backendNames, type BackendName } from '../network/network-config.js';

export interface Settings extends OidcSettings, IngressSettings {
  readonly dataDir: string;
  /** Path or URL of the cluster repository; undefined: a bare one of Capstan's own in the data directory. */
  readonly repo: string | undefined;
  /** Files: a token or `user:password` for an http(s) repository, the authority of its server, the forge's hook secret. */
  readonly repoCredentialsFile: string | undefined;
  readonly repoCaFile: string | undefined;
  readonly webhookSecretFile: string | undefined;
  readonly branch: string;
  readonly apiPort: number;
  readonly agentPort: number;
  readonly runtime: 'docker' | 'podman' | 'hollow';
  readonly hollowNodes: number;
  readonly dockerHost: string;
  readonly nodeName: string | undefined;
  readonly advertiseAddress: string | undefined;
  /** Names of the API server beside those that it has of itself. */
  readonly tlsSan: string | undefined;
  /** Of tokens of service accounts; their audience too, where none is named. */
  readonly serviceAccountIssuer: string;
  /** Of certificates that the cluster signs, such as `365d`. */
  readonly certificateLifetime: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** audit.k8s.io/v1 Policy; undefined: the default one. */
  readonly auditPolicyFile: string | undefined;
  /** Undefined: in the data directory. */
  readonly auditLogPath: string | undefined;
  /** Mebibytes, files, days. */
  readonly auditLogMaxsize: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogMaxage: number;
  readonly networkBackend: BackendName;
  /** Undefined: Services of type LoadBalancer get no address. */
  readonly loadBalancerPool: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

type Value = Settings[keyof Settings];

interface Setting<Key extends keyof Settings> {
  readonly key: Key;
  /** Without the dashes; the key in the configuration file too. */
  readonly flag: string;
  readonly placeholder: string;
  readonly description: string;
  readonly environment?: string;
  readonly fallback: Settings[Key];
  parse(text: string): Settings[Key];
}

const invalid = (flag: string, message: string): ClusterError =>
  new ClusterError('BadRequest', `--${flag}: ${message}`);

const text = (value: string): string => value;

const whole =
  (flag: string, most: number) =>
  (value: string): number => {
    const parsed = Number(value);
    if (!Number.isInteger(parsed) || parsed < 0 || parsed > most)
      throw invalid(flag, `${value} is not a whole number from 0 to ${most}`);
    return parsed;
  };

const oneOf =
  <T extends string>(flag: string, choices: readonly T[]) =>
  (value: string): T => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw invalid(flag, `${value} is none of ${choices.join(', ')}`);
    return choice;
  };

const cidr =
  (flag: string) =>
  (value: string): string => {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(value);
    if (match === null || match.slice(1, 5).some((part) => Number(part) > 255) || Number(match[5]) > 24)
      throw invalid(flag, `${value} is not an IPv4 network of at least 256 addresses, such as 10.244.0.0/16`);
    return value;
  };

const duration =
  (flag: string, leastMs: number) =>
  (value: string): string => {
    const parsed = parseDuration(value);
    if (parsed === undefined || parsed < leastMs)
      throw invalid(
        flag,
        `${value} is not a duration of at least ${leastMs / 1000} s, such as 90s, 24h or 365d`,
      );
    return value;
  };

/** Entries of a list with commas. */
export const namesOf = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** Milliseconds of a setting that has been read. */
export const durationOf = (value: string): number => parseDuration(value) ?? 0;

const dockerSocket = 'unix:///var/run/docker.sock';
const podmanSocket = 'unix:///run/podman/podman.sock';

/** Where the engine answers: at its usual socket unless another one is named. */
export const engineHost = ({ runtime, dockerHost }: Pick<Settings, 'runtime' | 'dockerHost'>): string =>
  runtime === 'podman' && dockerHost === dockerSocket ? podmanSocket : dockerHost;

const setting = <Key extends keyof Settings>(definition: Setting<Key>): Setting<Key> => definition;

export const settingsTable = [
  setting({
    key: 'dataDir',
    flag: 'data-dir',
    placeholder: 'DIR',
    description: 'where everything is kept',
    environment: 'CAPSTAN_DATA_DIR',
    fallback: '/var/lib/capstan',
    parse: text,
  }),
  setting({
    key: 'repo',
    flag: 'repo',
    placeholder: 'PATH|URL',
    description: 'the cluster repository; without it a bare one is made in the data directory',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'repoCredentialsFile',
    flag: 'repo-credentials-file',
    placeholder: 'FILE',
    description: 'a token, or user:password, for an http(s) repository',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'repoCaFile',
    flag: 'repo-ca-file',
    placeholder: 'FILE',
    description: 'certificate of the authority that signed the repository server (PEM)',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'webhookSecretFile',
    flag: 'webhook-secret-file',
    placeholder: 'FILE',
    description: 'secret that a forge signs its calls of /hooks/git with',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'branch',
    flag: 'branch',
    placeholder: 'NAME',
    description: 'the branch that runs',
    fallback: 'main',
    parse: text,
  }),
  setting({
    key: 'apiPort',
    flag: 'api-port',
    placeholder: 'PORT',
    description: 'port of the API server',
    fallback: 6443,
    parse: whole('api-port', 65535),
  }),
  setting({
    key: 'agentPort',
    flag: 'agent-port',
    placeholder: 'PORT',
    description: 'port on which the node agent serves logs to the API server',
    fallback: 10250,
    parse: whole('agent-port', 65535),
  }),
  setting({
    key: 'runtime',
    flag: 'runtime',
    placeholder: 'docker|podman|hollow',
    description: 'container engine; hollow simulates one',
    fallback: 'docker',
    parse: oneOf('runtime', ['docker', 'podman', 'hollow'] as const),
  }),
  setting({
    key: 'hollowNodes',
    flag: 'hollow-nodes',
    placeholder: 'N',
    description: 'number of simulated nodes with --runtime hollow',
    fallback: 3,
    parse: whole('hollow-nodes', 10_000),
  }),
  setting({
    key: 'dockerHost',
    flag: 'docker-host',
    placeholder: 'URL',
    description: 'where the container engine answers',
    environment: 'DOCKER_HOST',
    fallback: dockerSocket,
    parse: text,
  }),
  setting({
    key: 'nodeName',
    flag: 'node-name',
    placeholder: 'NAME',
    description: 'name of this node (default: the host name)',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'advertiseAddress',
    flag: 'advertise-address',
    placeholder: 'IP',
    description: 'address at which other machines reach this one (default: that of the default route)',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'tlsSan',
    flag: 'tls-san',
    placeholder: 'NAME,…',
    description: 'other names and addresses under which clients reach the API server',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'serviceAccountIssuer',
    flag: 'service-account-issuer',
    placeholder: 'URL',
    description: 'issuer of the tokens of service accounts',
    fallback: 'https://kubernetes.default.svc.cluster.local',
    parse: text,
  }),
  ...oidcSettings,
  setting({
    key: 'certificateLifetime',
    flag: 'certificate-lifetime',
    placeholder: 'DURATION',
    description: 'life of certificates; each is renewed, while running, at 70 to 90 % of it',
    fallback: '365d',
    parse: duration('certificate-lifetime', 10_000),
  }),
  setting({
    key: 'podCidr',
    flag: 'pod-cidr',
    placeholder: 'CIDR',
    description: 'addresses of pods; each node gets a /24 of it',
    fallback: '10.244.0.0/16',
    parse: cidr('pod-cidr'),
  }),
  setting({
    key: 'serviceCidr',
    flag: 'service-cidr',
    placeholder: 'CIDR',
    description: 'addresses of services',
    fallback: '10.96.0.0/16',
    parse: cidr('service-cidr'),
  }),
  setting({
    key: 'auditPolicyFile',
    flag: 'audit-policy-file',
    placeholder: 'FILE',
    description:
      'what the audit log records: an audit.k8s.io/v1 Policy (default: writes and reads, without bodies)',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'auditLogPath',
    flag: 'audit-log-path',
    placeholder: 'FILE',
    description: 'the audit log (default: audit/audit.log in the data directory)',
    fallback: undefined,
    parse: text,
  }),
  setting({
    key: 'auditLogMaxsize',
    flag: 'audit-log-maxsize',
    placeholder: 'MIB',
    description: 'size at which the audit log begins a new file',
    fallback: 100,
    parse: whole('audit-log-maxsize', 100_000),
  }),
  setting({
    key: 'auditLogMaxbackup',
    flag: 'audit-log-maxbackup',
    placeholder: 'N',
    description: 'older files of the audit log that are kept; 0 keeps all',
    fallback: 10,
    parse: whole('audit-log-maxbackup', 100_000),
  }),
  setting({
    key: 'auditLogMaxage',
    flag: 'audit-log-maxage',
    placeholder: 'DAYS',
    description: 'days for which older files of the audit log are kept; 0 keeps them',
    fallback: 30,
    parse: whole('audit-log-maxage', 100_000),
  }),
  setting({
    key: 'networkBackend',
    flag: 'network-backend',
    placeholder: backendNames.join('|'),
    description: 'how packets get to pods of other machines; none leaves services without traffic',
    fallback: 'vxlan',
    parse: oneOf('network-backend', backendNames),
  }),
  setting({
    key: 'loadBalancerPool',
    flag: 'load-balancer-pool',
    placeholder: 'RANGE',
    description: 'addresses on the network of the nodes for Services of type LoadBalancer',
    fallback: undefined,
    parse: (value) => {
      if (parseSpans(value) !== undefined) return value;
      throw invalid(
        'load-balancer-pool',
        `${value} is no range of addresses, such as 10.0.0.200-10.0.0.220 or 10.0.1.0/28`,
      );
    },
  }),
  ...ingressSettings,
  setting({
    key: 'logLevel',
    flag: 'log-level',
    placeholder: 'LEVEL',
    description: 'debug, info, warn or error',
    fallback: 'info',
    parse: oneOf('log-level', ['debug', 'info', 'warn', 'error'] as const),
  }),
] as const;

const readFile = ({ name, content }: SettingsFile): Readonly<Record<string, unknown>> => {
  const parsed: unknown = parse(content) ?? {};
  if (!isObject(parsed)) throw new ClusterError('BadRequest', `${name}: not a map of settings`);
  const known = settingsTable.map(({ flag }) => flag);
  for (const key of Object.keys(parsed))
    if (!known.includes(key))
      throw new ClusterError('BadRequest', `${name}: unknown key ${key}; known keys are ${known.join(', ')}`);
  return parsed;
};

export type SettingsFile = Readonly<Record<'name' | 'content', string>>;

export interface SettingSources {
  /** Options as the command line has them, by camel-cased name. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The first file that has a key decides; the last one is what an earlier start remembered. */
  readonly files: readonly SettingsFile[];
}

/** Undefined without a pool. */
export const spansOf = (pool: string | undefined): readonly AddressSpan[] | undefined =>
  pool === undefined ? undefined : parseSpans(pool);

/** Command line over environment over file over default. Throws BadRequest with the name of the wrong setting. */
export const readSettings = ({ options, environment, files }: SettingSources): Settings => {
  const stored = Object.assign({}, ...files.map(readFile).reverse()) as Readonly<Record<string, unknown>>;
  const entries = settingsTable.map((definition): [string, Value] => {
    const variable = 'environment' in definition ? environment[definition.environment] : undefined;
    const given = options[definition.key] ?? variable ?? stored[definition.flag];
    if (given === undefined || given === null || given === '') return [definition.key, definition.fallback];
    if (typeof given !== 'string' && typeof given !== 'number')
      throw invalid(definition.flag, 'must be a single value');
    return [definition.key, definition.parse(String(given))];
  });
  return Object.fromEntries(entries) as unknown as Settings;
};

/** The settings as command line flags, all or only some: how a command hands its own to the daemon that it starts. */
export const toFlags = (settings: Settings, only?: readonly (keyof Settings)[]): string[] =>
  settingsTable.flatMap(({ key, flag }) => {
    const value = settings[key];
    return value === undefined || only?.includes(key) === false ? [] : [`--${flag}`, String(value)];
  });

/** The settings as the file that remembers them for the next start, `down` and `reset`. */
export const toFile = (settings: Settings): string =>
  stringify(
    Object.fromEntries(
      settingsTable
        .filter(({ key, fallback }) => key !== 'dataDir' && settings[key] !== fallback)
        .map(({ key, flag }) => [flag, settings[key]]),
    ),
  );
