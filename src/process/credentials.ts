// The certificates of a machine that runs a master: who signs, who listens, who asks.
import type { Clock, Instant } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { renderKubeconfig } from '../client/kubeconfig.js';
import { privateFiles } from '../host/private-files.js';
import { addressRange } from '../apiserver/admission/address-range.js';
import type { KeyPair } from '../pki/certificate.js';
import { openAuthority, openCertificate, type CertificateRequest } from '../pki/directory.js';
import { keepRenewed, RotatingValue, type Rotating } from '../pki/rotating.js';
import type { DataDirectory } from './data-directory.js';
import { administrator, agentClientName, nodeSubject } from './identities.js';
import type { Tasks } from './tasks.js';

export interface CredentialOptions {
  readonly directory: DataDirectory;
  readonly now: Instant;
  readonly nodeName: string;
  /** Addresses at which other machines reach this one. */
  readonly addresses: readonly string[];
  readonly serviceCidr: string;
  /** Other names of the API server: addresses, and DNS names. */
  readonly otherNames: readonly string[];
  /** Milliseconds. */
  readonly lifetime: number;
}

export interface Credentials {
  readonly authority: KeyPair;
  /** PEM of the authority's certificate. */
  readonly ca: string;
  readonly apiServer: KeyPair;
  /** With which the API server asks agents. */
  readonly agentClient: KeyPair;
  readonly agent: KeyPair;
  readonly administrator: KeyPair;
}

const serverNames = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

export const openCredentials = async (options: CredentialOptions): Promise<Credentials> => {
  const { directory, now, nodeName, addresses, serviceCidr, otherNames, lifetime } = options;
  const files = await privateFiles(directory.pki);
  const authority = await openAuthority(files, now);
  const open = (name: string, request: CertificateRequest): Promise<KeyPair> =>
    openCertificate(files, name, { authority, request, now, lifetime });
  const local = ['127.0.0.1', ...addresses.filter((address) => address !== '127.0.0.1')];
  const isAddress = (name: string): boolean => /^\d+(\.\d+){3}$/.test(name) || name.includes(':');
  const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
  return {
    authority,
    ca: authority.certificate,
    apiServer: await open('apiserver', {
      subject: { commonName: 'kube-apiserver', organizations: [] },
      usages: ['server'],
      dnsNames: distinct([...serverNames, nodeName, ...otherNames.filter((name) => !isAddress(name))]),
      addresses: distinct([...local, addressRange(serviceCidr).at(0), ...otherNames.filter(isAddress)]),
    }),
    agentClient: await open('apiserver-kubelet-client', {
      subject: { commonName: agentClientName, organizations: ['system:masters'] },
      usages: ['client'],
    }),
    agent: await open('agent', {
      subject: nodeSubject(nodeName),
      usages: ['client', 'server'],
      dnsNames: [nodeName],
      addresses: local,
    }),
    administrator: await open('admin', { subject: administrator, usages: ['client'] }),
  };
};

/** The certificates, renewed in the files and in use for as long as the process runs. */
export const rotateCredentials = async (
  {
    clock,
    log,
    ...options
  }: Omit<CredentialOptions, 'now'> & { readonly clock: Clock; readonly log: Logger },
  tasks: Tasks,
): Promise<Rotating<Credentials>> => {
  const open = (now: Instant): Promise<Credentials> => openCredentials({ ...options, now });
  const value = new RotatingValue(await open(clock.now()));
  const renewal = {
    name: "the master's certificates",
    value,
    certificates: ({ apiServer, agentClient, agent, administrator: admin }: Credentials) =>
      [apiServer, agentClient, agent, admin].map(({ certificate }) => certificate),
    renew: open,
    clock,
    log,
  };
  tasks.start('certificates', (signal) => keepRenewed(renewal, signal));
  return value;
};

/** The administrator's kubeconfig for an API server on this machine. */
export const adminKubeconfig = (
  { ca, administrator: { certificate, key } }: Credentials,
  port: number,
): string =>
  renderKubeconfig({
    name: 'capstan',
    server: `https://127.0.0.1:${port}`,
    ca,
    cert: certificate,
    key,
    user: administrator.commonName,
  });
