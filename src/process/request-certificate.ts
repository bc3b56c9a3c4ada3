// A certificate from the cluster's authority: a request, somebody's approval, the signature.
import type { Clock } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { Cluster } from '../client/cluster.js';
import type { KeyPair } from '../pki/certificate.js';
import { createRequest, type RequestOptions } from '../pki/request.js';
import { conditionOf, isConditionTrue } from '../resources/conditions.js';
import { machineAnnotations, type MachineClaim } from '../resources/joining.js';
import type { CertificateSigningRequest } from '../resources/generated/types.js';
import { certificatesigningrequests } from '../resources/kinds/certificatesigningrequests.js';

export interface CertificateWanted extends RequestOptions {
  readonly signerName: string;
  readonly usages: readonly string[];
  /** Who asks, when the name is to be its machine's. */
  readonly machine?: MachineClaim | undefined;
}

export interface Requester {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Called once when nobody has answered for a while. */
  waiting?(name: string): void;
}

const pollMs = 300;
const patienceMs = 10_000;

const refusal = ({ status }: CertificateSigningRequest): string | undefined => {
  const conditions = status?.conditions;
  const refused = ['Denied', 'Failed'].find((type) => isConditionTrue(conditions, type));
  if (refused === undefined) return undefined;
  const { reason, message } = conditionOf(conditions, refused) ?? {};
  return message ?? reason ?? refused;
};

/** Waits until it is signed or the signal aborts. Throws Forbidden, with the reason, when it is refused. */
export const requestCertificate = async (
  { cluster, clock, waiting }: Requester,
  wanted: CertificateWanted,
  signal: AbortSignal,
): Promise<KeyPair> => {
  const { request, key } = createRequest(wanted);
  const { signerName, usages, machine } = wanted;
  const { metadata } = await cluster.create(certificatesigningrequests, {
    metadata: {
      generateName: 'node-csr-',
      ...(machine === undefined
        ? {}
        : {
            annotations: {
              [machineAnnotations.machineID]: machine.machineID,
              [machineAnnotations.address]: machine.address,
            },
          }),
    },
    spec: { request: Buffer.from(request).toString('base64'), signerName, usages },
  });
  const patient = clock.now() + patienceMs;
  let told = false;
  for (;;) {
    const current = await cluster.get(certificatesigningrequests, { name: metadata.name }, signal);
    const refused = refusal(current);
    if (refused !== undefined) throw new ClusterError('Forbidden', refused, { retry: false });
    const signed = current.status?.certificate ?? '';
    if (signed !== '') return { certificate: Buffer.from(signed, 'base64').toString('utf8'), key };
    if (!told && clock.now() > patient) {
      told = true;
      waiting?.(metadata.name);
    }
    await clock.sleep(pollMs, signal);
  }
};
