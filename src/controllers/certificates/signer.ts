// Signs what has been approved, when it is what its signer signs; says why when it is not.
import type { Instant } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type { Cluster } from '../../client/cluster.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Executor } from '../../reconcile/controller.js';
import type { CertificateSigningRequest } from '../../resources/generated/types.js';
import { certificatesigningrequests } from '../../resources/kinds/certificatesigningrequests.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import { askedOf, awaitsSignature, parsed, type Parsed } from './observe.js';
import { isOurs, profileProblem, type Asked } from './profile.js';

export interface SignatureRequest extends Pick<
  Asked,
  'commonName' | 'organizations' | 'dnsNames' | 'addresses'
> {
  /** PEM. */
  readonly publicKey: string;
  readonly usages: readonly ('client' | 'server')[];
  /** As asked; undefined: as long as the authority gives. Milliseconds. */
  readonly lifetime: number | undefined;
}

/** PEM of the certificate; the authority's part. */
export type SignCertificate = (request: SignatureRequest) => string;

export type SignerAction =
  | ClusterAction
  | { readonly type: 'sign'; readonly request: CertificateSigningRequest; readonly wanted: SignatureRequest };

const failed = ({ request }: Parsed, message: string, now: Instant): ClusterAction => ({
  type: 'updateStatus',
  kind: certificatesigningrequests,
  object: {
    ...request,
    status: {
      ...request.status,
      conditions: [
        ...(request.status?.conditions ?? []),
        {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message,
          lastUpdateTime: toTimestamp(now),
          lastTransitionTime: toTimestamp(now),
        },
      ],
    },
  } as CertificateSigningRequest,
});

const usagesOf = ({ usages = [] }: Asked): readonly ('client' | 'server')[] => [
  ...(usages.includes('client auth') ? ['client' as const] : []),
  ...(usages.includes('server auth') ? ['server' as const] : []),
];

export const signerController: Controller<Parsed, SignerAction> = {
  name: 'certificate-signer',
  watches: [
    {
      kind: certificatesigningrequests,
      keys: ({ type, object }) =>
        type !== 'deleted' && awaitsSignature(object as CertificateSigningRequest) ? [nameOf(object)] : [],
    },
  ],
  observe: (view, key) => {
    const request = view.get(certificatesigningrequests, key);
    if (request === undefined || isDeleting(request) || !awaitsSignature(request)) return undefined;
    return isOurs(request.spec.signerName) ? parsed(request) : undefined;
  },
  reconcile: (observed, now) => {
    const { request, facts } = observed;
    const problem = facts === undefined ? observed.problem : profileProblem(askedOf(request, facts));
    if (facts === undefined || problem !== undefined)
      return { actions: [failed(observed, problem ?? '', now)], because: problem ?? '' };
    const { commonName, organizations, dnsNames, addresses, publicKey } = facts;
    const seconds = request.spec.expirationSeconds;
    const wanted: SignatureRequest = {
      commonName,
      organizations,
      dnsNames,
      addresses,
      publicKey,
      usages: usagesOf(askedOf(request, facts)),
      lifetime: seconds === undefined ? undefined : seconds * 1000,
    };
    return {
      actions: [{ type: 'sign', request, wanted }],
      because: `it was approved: ${commonName} gets its certificate`,
    };
  },
};

export const createSignerExecutor = (
  cluster: Cluster,
  sign: SignCertificate,
  others: Executor<ClusterAction>,
): Executor<SignerAction> => ({
  execute: async (action, signal) => {
    if (action.type !== 'sign') return others.execute(action, signal);
    const { request, wanted } = action;
    const certificate = Buffer.from(sign(wanted)).toString('base64');
    await cluster.updateStatus(certificatesigningrequests, {
      ...request,
      status: { ...request.status, certificate },
    });
  },
});
