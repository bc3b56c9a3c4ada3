// The cluster's own authority and what it signs.
import type { Instant } from '../base/clock.js';
import { generateKey, parseCertificate, signCertificate, type KeyPair, type Subject } from './certificate.js';

const dayMs = 24 * 60 * 60 * 1000;

/** Machines whose clocks are a little behind must still accept what was signed a moment ago. */
const clockSkewMs = 5 * 60 * 1000;

/** A short life is not to begin with its end: at most a tenth of it lies in the past. */
const skewOf = (lifetime: number): number => Math.min(clockSkewMs, lifetime / 10);

export interface AuthorityOptions {
  readonly commonName: string;
  readonly now: Instant;
  readonly validDays: number;
}

export interface CertificateOptions {
  readonly subject: Subject;
  /** `server` for those that listen, `client` for those that ask; an agent does both. */
  readonly usages: readonly ('server' | 'client')[];
  readonly dnsNames?: readonly string[];
  /** IP addresses. */
  readonly addresses?: readonly string[];
  readonly now: Instant;
  /** Milliseconds. */
  readonly lifetime: number;
}

export const createAuthority = ({ commonName, now, validDays }: AuthorityOptions): KeyPair => {
  const { publicKey, privateKey } = generateKey();
  const subject: Subject = { commonName, organizations: [] };
  const certificate = signCertificate(
    {
      subject,
      authority: undefined,
      publicKey,
      notBefore: now - clockSkewMs,
      notAfter: now + validDays * dayMs,
      extensions: [
        { name: 'basicConstraints', critical: true, cA: true },
        { name: 'keyUsage', critical: true, digitalSignature: true, keyCertSign: true, cRLSign: true },
      ],
    },
    privateKey,
  );
  return { certificate, key: privateKey };
};

const alternativeNames = ({ dnsNames = [], addresses = [] }: CertificateOptions): object[] => {
  const names = [
    ...dnsNames.map((value) => ({ type: 2, value })),
    ...addresses.map((ip) => ({ type: 7, ip })),
  ];
  return names.length === 0 ? [] : [{ name: 'subjectAltName', altNames: names }];
};

/** A certificate for a key that is somebody's own, signed by `authority`. PEM. */
export const certify = (authority: KeyPair, publicKey: string, options: CertificateOptions): string => {
  const { notAfter } = parseCertificate(authority.certificate);
  return signCertificate(
    {
      subject: options.subject,
      authority: authority.certificate,
      publicKey,
      notBefore: options.now - skewOf(options.lifetime),
      // Nothing outlives its authority.
      notAfter: Math.min(options.now + options.lifetime, notAfter),
      extensions: [
        { name: 'basicConstraints', critical: true, cA: false },
        { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
        {
          name: 'extKeyUsage',
          serverAuth: options.usages.includes('server'),
          clientAuth: options.usages.includes('client'),
        },
        ...alternativeNames(options),
      ],
    },
    authority.key,
  );
};

/** A new key and its certificate, signed by `authority`. */
export const issueCertificate = (authority: KeyPair, options: CertificateOptions): KeyPair => {
  const { publicKey, privateKey } = generateKey();
  return { certificate: certify(authority, publicKey, options), key: privateKey };
};
