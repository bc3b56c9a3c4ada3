// The certificates of a node whose master is elsewhere: asked for, kept in the data directory, renewed while it works.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import { renderKubeconfig, type Kubeconfig } from '../client/kubeconfig.js';
import { writeFileAtomically } from '../host/files.js';
import { privateFiles } from '../host/private-files.js';
import { isPair, isSignedBy, parseCertificate, type KeyPair } from '../pki/certificate.js';
import { keepRenewed, RotatingValue, type Rotating } from '../pki/rotating.js';
import { renewalTime } from '../pki/renewal.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import type { MachineClaim } from '../resources/joining.js';
import type { DataDirectory } from './data-directory.js';
import { nodeSubject } from './identities.js';
import { requestCertificate, type Requester } from './request-certificate.js';
import type { Tasks } from './tasks.js';

export interface NodeIdentityOptions {
  readonly nodeName: string;
  readonly address: string;
  readonly directory: DataDirectory;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
}

export const agentSigners = {
  client: 'kubernetes.io/kube-apiserver-client-kubelet',
  server: 'kubernetes.io/kubelet-serving',
} as const;

/** The certificate with which an agent asks the API server. */
export const requestAgentClient = (
  requester: Requester,
  { nodeName, machine }: { readonly nodeName: string; readonly machine: MachineClaim },
  signal: AbortSignal,
): Promise<KeyPair> =>
  requestCertificate(
    requester,
    {
      subject: nodeSubject(nodeName),
      signerName: agentSigners.client,
      usages: ['digital signature', 'client auth', 'key encipherment'],
      machine,
    },
    signal,
  );

export const writeAgentKubeconfig = (
  { agentKubeconfig }: DataDirectory,
  kubeconfig: Kubeconfig,
): Promise<void> => writeFileAtomically(agentKubeconfig, renderKubeconfig(kubeconfig), 0o600);

/** Renews the client certificate in `kubeconfig` for as long as the process runs. */
export const keepClientCertificate = (
  { nodeName, address, directory, cluster, clock, log }: NodeIdentityOptions,
  { kubeconfig, machineID }: { readonly kubeconfig: RotatingValue<Kubeconfig>; readonly machineID: string },
  tasks: Tasks,
): void => {
  const renew = async (_: Instant, signal: AbortSignal): Promise<Kubeconfig> => {
    const machine = { machineID, address };
    const pair = await requestAgentClient({ cluster, clock }, { nodeName, machine }, signal);
    const next = { ...kubeconfig.current, cert: pair.certificate, key: pair.key };
    await writeAgentKubeconfig(directory, next);
    return next;
  };
  tasks.start('client certificate', (signal) =>
    keepRenewed(
      {
        name: "the agent's client certificate",
        value: kubeconfig,
        certificates: ({ cert }) => [cert],
        renew,
        clock,
        log,
      },
      signal,
    ),
  );
};

const servingName = 'agent-server';

/** Addresses of the API server, which the certificate of no node names. */
const apiAddresses = async (cluster: Cluster, signal: AbortSignal): Promise<readonly string[]> => {
  const { items } = await cluster.list(
    endpointslices,
    { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' },
    signal,
  );
  return items.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses));
};

const requestServing = async (
  { nodeName, address, cluster, clock, log }: NodeIdentityOptions,
  signal: AbortSignal,
): Promise<KeyPair> => {
  const taken = await apiAddresses(cluster, signal);
  return requestCertificate(
    {
      cluster,
      clock,
      waiting: (name) =>
        log.warn(
          { request: name },
          `nobody has approved the agent's serving certificate: kubectl certificate approve ${name}`,
        ),
    },
    {
      subject: nodeSubject(nodeName),
      dnsNames: [nodeName],
      addresses: taken.includes(address) ? [] : [address],
      signerName: agentSigners.server,
      usages: ['digital signature', 'server auth', 'key encipherment'],
    },
    signal,
  );
};

/** A certificate that the last run left, while it is this node's, at this address, and young. */
const isUsable = (
  pair: KeyPair,
  {
    nodeName,
    address,
    now,
    ca,
  }: { readonly nodeName: string; readonly address: string; readonly now: Instant; readonly ca: string },
): boolean => {
  if (!isPair(pair) || !isSignedBy(pair.certificate, ca)) return false;
  const facts = parseCertificate(pair.certificate);
  const { commonName, addresses } = facts;
  const named = addresses.length === 0 || addresses.includes(address);
  return commonName === nodeSubject(nodeName).commonName && named && now < renewalTime(facts);
};

/**
 * The certificate with which the agent answers, renewed for as long as the process runs. Until the first has been signed,
 * which takes the Node object to be there, it is `placeholder`, which the API server does not accept.
 */
export const keepServingCertificate = async (
  options: NodeIdentityOptions,
  { ca, placeholder }: { readonly ca: string; readonly placeholder: KeyPair },
  tasks: Tasks,
): Promise<Rotating<KeyPair>> => {
  const { directory, clock, log } = options;
  const files = await privateFiles(directory.pki);
  const [certificate = '', key = ''] = await Promise.all([
    files.read(`${servingName}.crt`),
    files.read(`${servingName}.key`),
  ]);
  const known = { certificate, key };
  const usable = isUsable(known, { ...options, now: clock.now(), ca });
  const value = new RotatingValue(usable ? known : placeholder);
  const renew = async (_: Instant, signal: AbortSignal): Promise<KeyPair> => {
    const pair = await requestServing(options, signal);
    await files.write(`${servingName}.key`, pair.key);
    await files.write(`${servingName}.crt`, pair.certificate);
    return pair;
  };
  tasks.start('serving certificate', async (signal) => {
    while (value.current === placeholder && !signal.aborted)
      try {
        value.replace(await renew(clock.now(), signal));
      } catch (error) {
        if (isAbort(error, signal)) return;
        log.warn({ error: messageOf(error) }, 'the agent has no serving certificate yet: trying again');
        await clock.sleep(2000, signal).catch(() => undefined);
      }
    await keepRenewed(
      {
        name: "the agent's serving certificate",
        value,
        certificates: (pair) => [pair.certificate],
        renew,
        clock,
        log,
      },
      signal,
    );
  });
  return value;
};
