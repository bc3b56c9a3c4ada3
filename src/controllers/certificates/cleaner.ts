// Requests for certificates go when they are answered, or when nobody answers them (kube-controller-manager's times).
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { hasCode } from '../../base/errors.js';
import { parseCertificate } from '../../pki/certificate.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller } from '../../reconcile/controller.js';
import type { CertificateSigningRequest } from '../../resources/generated/types.js';
import { certificatesigningrequests } from '../../resources/kinds/certificatesigningrequests.js';
import { isDeleting, nameOf } from '../../resources/resource.js';

const hour = 3_600_000;
const answeredMs = hour;
const pendingMs = 24 * hour;

const endOf = (certificate: string | undefined): Instant | undefined => {
  if (certificate === undefined || certificate === '') return undefined;
  try {
    return parseCertificate(Buffer.from(certificate, 'base64').toString('utf8')).notAfter;
  } catch (error) {
    if (hasCode(error, 'BadRequest')) return undefined;
    throw error;
  }
};

/** When it goes, and why. */
export const lastMoment = ({
  metadata,
  status,
}: CertificateSigningRequest): { readonly at: Instant; readonly because: string } => {
  const born = fromTimestamp(metadata.creationTimestamp) ?? 0;
  const [answer] = (status?.conditions ?? []).filter(({ type }) =>
    ['Approved', 'Denied', 'Failed'].includes(type),
  );
  if (answer === undefined) return { at: born + pendingMs, because: 'nobody has answered it for a day' };
  const answered = fromTimestamp(answer.lastUpdateTime) ?? born;
  const expired = endOf(status?.certificate);
  if (expired !== undefined && expired < answered + answeredMs)
    return { at: expired, because: 'its certificate has expired' };
  return { at: answered + answeredMs, because: `it was ${answer.type.toLowerCase()} an hour ago` };
};

export const requestCleaner: Controller<CertificateSigningRequest, ClusterAction> = {
  name: 'certificate-cleaner',
  watches: [
    {
      kind: certificatesigningrequests,
      keys: ({ type, object }) => (type === 'deleted' ? [] : [nameOf(object)]),
    },
  ],
  observe: (view, key) => {
    const request = view.get(certificatesigningrequests, key);
    return request === undefined || isDeleting(request) ? undefined : request;
  },
  reconcile: (request, now) => {
    const { at, because } = lastMoment(request);
    if (now < at) return { actions: [], because: 'it is recent', wakeAt: at };
    const { uid, resourceVersion } = request.metadata;
    return {
      actions: [
        {
          type: 'delete',
          kind: certificatesigningrequests,
          name: nameOf(request),
          options: { preconditions: { uid, resourceVersion } },
        },
      ],
      because,
    };
  },
};
