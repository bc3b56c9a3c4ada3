// Certificates: making them with node-forge, signing and reading them with node:crypto.
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import forge from 'node-forge';
import type { Instant } from '../base/clock.js';

const { asn1, md, pki } = forge;

/** Exported by node-forge, missing from its types: the part of a certificate that is signed. */
const { getTBSCertificate } = pki as typeof pki & {
  getTBSCertificate(certificate: forge.pki.Certificate): forge.asn1.Asn1;
};
const signatureAlgorithm = pki.oids['sha256WithRSAEncryption'] ?? '';

/** Both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  /** Kubernetes' user name. */
  readonly commonName: string;
  /** Kubernetes' groups. */
  readonly organizations: readonly string[];
}

export interface CertificateFacts extends Subject {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
}

interface Unsigned {
  readonly subject: Subject;
  readonly issuer: Subject;
  readonly publicKey: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly extensions: object[];
}

const nameOf = ({ commonName, organizations }: Subject): forge.pki.CertificateField[] => [
  ...organizations.map((value) => ({ name: 'organizationName', value })),
  { name: 'commonName', value: commonName },
];

export const generateKey = (): { readonly publicKey: string; readonly privateKey: string } =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

/** Positive and unpredictable, as RFC 5280 and the CA/Browser Forum ask. */
const serialNumber = (): string => `00${randomBytes(16).toString('hex')}`;

/** PEM of the certificate, signed with `signer` (a private key, PEM) by node:crypto: forge's own RSA is 31x slower. */
export const signCertificate = (unsigned: Unsigned, signer: string): string => {
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(unsigned.publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(unsigned.notBefore);
  certificate.validity.notAfter = new Date(unsigned.notAfter);
  certificate.setSubject(nameOf(unsigned.subject));
  certificate.setIssuer(nameOf(unsigned.issuer));
  certificate.setExtensions(unsigned.extensions);
  certificate.md = md.sha256.create();
  certificate.signatureOid = signatureAlgorithm;
  certificate.siginfo.algorithmOid = signatureAlgorithm;
  certificate.tbsCertificate = getTBSCertificate(certificate);
  const body = Buffer.from(asn1.toDer(certificate.tbsCertificate).getBytes(), 'binary');
  certificate.signature = sign('sha256', body, signer).toString('binary');
  return pki.certificateToPem(certificate);
};

const namesOf = (certificate: X509Certificate): { dnsNames: string[]; addresses: string[] } => {
  const entries = (certificate.subjectAltName ?? '').split(', ');
  const of = (prefix: string): string[] =>
    entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  return { dnsNames: of('DNS:'), addresses: of('IP Address:') };
};

const fieldsOf = (subject: string, field: string): string[] =>
  subject
    .split('\n')
    .filter((line) => line.startsWith(`${field}=`))
    .map((line) => line.slice(field.length + 1));

/** Throws when `pem` is no certificate. */
export const parseCertificate = (pem: string): CertificateFacts => {
  const certificate = new X509Certificate(pem);
  return {
    commonName: fieldsOf(certificate.subject, 'CN')[0] ?? '',
    organizations: fieldsOf(certificate.subject, 'O'),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    ...namesOf(certificate),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
};

/** True when the certificate carries the signature of this authority. */
export const isSignedBy = (pem: string, authority: string): boolean =>
  new X509Certificate(pem).verify(new X509Certificate(authority).publicKey);

/** `sha256:<hex>` of the SubjectPublicKeyInfo: what a joining machine is told to expect (kubeadm's CA pin). */
export const authorityHash = (pem: string): string => {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
};
