// When a certificate is renewed: at 70 to 90 % of its life, each at a moment of its own.
import type { Instant } from '../base/clock.js';
import type { CertificateFacts } from './certificate.js';

const earliest = 0.7;
const spread = 0.2;
const digits = 8;

/**
 * The kubelet's window, spread so that machines which joined together do not all ask at once. The moment follows from
 * the certificate itself: it is the same after every restart.
 */
export const renewalTime = ({
  notBefore,
  notAfter,
  fingerprint,
}: Pick<CertificateFacts, 'notBefore' | 'notAfter' | 'fingerprint'>): Instant => {
  const jitter = Number.parseInt(fingerprint.slice(0, digits), 16) / 16 ** digits;
  return notBefore + Math.floor((notAfter - notBefore) * (earliest + spread * jitter));
};
