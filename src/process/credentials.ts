// The certificates of a machine that runs a master: who signs, who listens, who asks.
import type { Instant } from '../base/clock.js';
import { renderKubeconfig } from '../client/kubeconfig.js';
import { privateFiles } from '../host/private-files.js';
import { addressRange } from '../apiserver/admission/address-range.js';
import type { KeyPair } from '../pki/certificate.js';
import { openAuthority, openCertificate, type CertificateRequest } from '../pki/directory.js';
import type { DataDirectory } from './data-directory.js';
import { administrator, agentClientName, nodeSubject } from './identities.js';

export interface CredentialOptions {
  readonly directory: DataDirectory;
  readonly now: Instant;
  readonly nodeName: string;
  /** Addresses at which other machines reach this one. */
  readonly addresses: readonly string[];
  readonly serviceCidr: string;
}

export interface Credentials {
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
  const { directory, now, nodeName, addresses, serviceCidr } = options;
  const files = await privateFiles(directory.pki);
  const authority = await openAuthority(files, now);
  const open = (name: string, request: CertificateRequest): Promise<KeyPair> =>
    openCertificate(files, name, { authority, request, now });
  const local = ['127.0.0.1', ...addresses.filter((address) => address !== '127.0.0.1')];
  return {
    ca: authority.certificate,
    apiServer: await open('apiserver', {
      subject: { commonName: 'kube-apiserver', organizations: [] },
      usages: ['server'],
      dnsNames: [...serverNames, ...(serverNames.includes(nodeName) ? [] : [nodeName])],
      addresses: [...local, addressRange(serviceCidr).at(0)],
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
