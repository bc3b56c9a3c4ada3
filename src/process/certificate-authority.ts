// The master's authority for certificates that are asked for: who may have one approved, and its signature.
import type { Authorizer } from '../apiserver/authorize/authorizer.js';
import type { Clock } from '../base/clock.js';
import type { RequestAccess } from '../controllers/certificates/approver.js';
import type { SignCertificate } from '../controllers/certificates/signer.js';
import { certify } from '../pki/authority.js';
import type { Rotating } from '../pki/rotating.js';
import { certificatesigningrequests } from '../resources/kinds/certificatesigningrequests.js';
import type { Credentials } from './credentials.js';
import { durationOf, type Settings } from './settings.js';

export interface CertificateAuthorityOptions {
  readonly settings: Settings;
  readonly credentials: Rotating<Credentials>;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
}

export const certificateAuthority = ({
  settings,
  credentials,
  authorizer,
  clock,
}: CertificateAuthorityOptions): { readonly access: RequestAccess; readonly sign: SignCertificate } => {
  const longest = durationOf(settings.certificateLifetime);
  return {
    access: (who, right) =>
      authorizer.authorize(who, {
        type: 'resource',
        verb: 'create',
        group: certificatesigningrequests.group,
        resource: certificatesigningrequests.plural,
        subresource: right,
        namespace: '',
        name: '',
      }).allowed,
    sign: ({ commonName, organizations, publicKey, dnsNames, addresses, usages, lifetime }) =>
      certify(credentials.current.authority, publicKey, {
        subject: { commonName, organizations },
        dnsNames,
        addresses,
        usages,
        now: clock.now(),
        lifetime: Math.min(lifetime ?? longest, longest),
      }),
  };
};
