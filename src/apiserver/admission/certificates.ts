// Who asks for a certificate stands in the request as the server knows it; who approves or signs must have the right to
// do so for that signer (Kubernetes' CertificateApproval, CertificateSigning and CertificateSubjectRestriction).
import { messageOf } from '../../base/errors.js';
import type { ClusterError } from '../../base/errors.js';
import type { Identity } from '../../base/http.js';
import { equal } from '../../base/json.js';
import { parseRequest, type RequestFacts } from '../../pki/request.js';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../resources/generated/types.js';
import { certificatesigningrequests } from '../../resources/kinds/certificatesigningrequests.js';
import { invalid as invalidField } from '../../resources/validation/field-errors.js';
import type { Authorizer } from '../authorize/authorizer.js';
import { mastersGroup } from '../authorize/authorizer.js';
import { forbidden, invalid } from '../verbs/rejections.js';
import type { Admission, AdmissionRequest } from './admission.js';

const clientSigner = 'kubernetes.io/kube-apiserver-client';

type Write = Exclude<AdmissionRequest, { readonly operation: 'delete' }>;

const isOurs = ({ kind }: AdmissionRequest): boolean =>
  kind.group === certificatesigningrequests.group && kind.plural === certificatesigningrequests.plural;

const refuse = (request: AdmissionRequest, why: string): ClusterError =>
  forbidden(request.kind, request.name, why);

/** For one signer by name, or for all of its domain (`example.com/*`). */
const mayUse = (
  authorizer: Authorizer | undefined,
  identity: Identity,
  { verb, signer }: { readonly verb: 'approve' | 'sign'; readonly signer: string },
): boolean => {
  if (authorizer === undefined) return true;
  const domain = signer.split('/')[0] ?? '';
  return [signer, `${domain}/*`].some(
    (name) =>
      authorizer.authorize(identity, {
        type: 'resource',
        verb,
        group: certificatesigningrequests.group,
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
      }).allowed,
  );
};

const factsOf = (request: Write, { spec }: CertificateSigningRequest): RequestFacts => {
  try {
    return parseRequest(Buffer.from(spec.request, 'base64').toString('latin1'));
  } catch (error) {
    throw invalid(request.kind, request.name, [
      invalidField('spec.request', '<request contents>', messageOf(error)),
    ]);
  }
};

/** Whoever could ask for this group would be above all rights. */
const checkSubject = (request: Write, asked: CertificateSigningRequest): void => {
  const { organizations } = factsOf(request, asked);
  if (asked.spec.signerName === clientSigner && organizations.includes(mastersGroup))
    throw refuse(request, `use of ${clientSigner} signer with group ${mastersGroup} is not allowed`);
};

const created = (request: Write): CertificateSigningRequest => {
  const asked = request.object as CertificateSigningRequest;
  checkSubject(request, asked);
  const { user, groups, uid, extra } = request.identity;
  const { request: pem, signerName, usages, expirationSeconds } = asked.spec;
  return {
    ...asked,
    spec: {
      request: pem,
      signerName,
      ...(usages === undefined ? {} : { usages }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      username: user,
      groups,
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra }),
    },
  };
};

const decided: ReadonlySet<string> = new Set(['Approved', 'Denied']);

const decisionsIn = ({ status }: CertificateSigningRequest): readonly CertificateSigningRequestCondition[] =>
  (status?.conditions ?? []).filter(({ type }) => decided.has(type));

const checkUpdate = (
  request: Extract<Write, { readonly operation: 'update' }>,
  authorizer: Authorizer | undefined,
): void => {
  const before = request.old as CertificateSigningRequest;
  const after = request.object as CertificateSigningRequest;
  const signer = before.spec.signerName;
  const may = (verb: 'approve' | 'sign'): boolean => mayUse(authorizer, request.identity, { verb, signer });
  if (request.subresource === 'approval' && !may('approve'))
    throw refuse(request, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
  if (request.subresource !== 'status') return;
  if (!equal(decisionsIn(before), decisionsIn(after)))
    throw refuse(request, 'a request is approved or denied through its approval only');
  if (!equal(before.status, after.status) && !may('sign'))
    throw refuse(request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
};

export const certificateRequests = (authorizer: Authorizer | undefined): Admission => ({
  name: 'CertificateRequests',
  admit: (request) => {
    if (!isOurs(request) || request.operation === 'delete') return undefined;
    if (request.operation === 'create') return { object: created(request) };
    checkUpdate(request, authorizer);
    // What was asked, and by whom, stays as it was.
    const { spec } = request.old as CertificateSigningRequest;
    return { object: { ...request.object, spec } as CertificateSigningRequest };
  },
});
