// Certificates: making them with node-forge, signing and reading them with node:crypto.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import forge from 'node-forge';
import type { Instant } from '../base/clock.js';
import { ClusterError, messageOf } from '../base/errors.js';
import * as der from './der.js';

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
  /** PEM of the authority's certificate; undefined for a certificate that signs itself. */
  readonly authority: string | undefined;
  /** PEM of a SubjectPublicKeyInfo: RSA, or an elliptic curve. */
  readonly publicKey: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly extensions: object[];
}

/** UTF-8, because a PrintableString has no underscore and readers such as Go's refuse one that does. */
const attribute = (name: string, value: string): forge.pki.CertificateField => ({
  name,
  value,
  valueTagClass: asn1.Type.UTF8 as unknown as forge.asn1.Class,
});

const nameOf = ({ commonName, organizations }: Subject): forge.pki.CertificateField[] => [
  ...organizations.map((value) => attribute('organizationName', value)),
  attribute('commonName', commonName),
];

export const generateKey = (): { readonly publicKey: string; readonly privateKey: string } =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

/**
 * Unpredictable, as the CA/Browser Forum asks, and with a first byte that is neither negative nor a padding zero: forge
 * takes away one zero only, and readers refuse the certificate for a second.
 */
const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
};

const spkiOf = (publicKey: string): Buffer =>
  createPublicKey(publicKey).export({ type: 'spki', format: 'der' });

/** RFC 5280, method 1: SHA-1 of the key's bits, which stand behind its algorithm. */
const keyIdentifier = (spki: Buffer): Buffer => {
  const [, bits] = der.within(der.parseDer(spki), der.types.SEQUENCE);
  return createHash('sha1').update(der.bitsOf(bits)).digest();
};

/** Forge knows RSA only, and wants some key: the one that counts is put in its place. */
const placeholder = pki.rsa.setPublicKey(new forge.jsbn.BigInteger('3'), new forge.jsbn.BigInteger('65537'));
const keyPosition = 6;

const withKey = (body: der.Node, spki: Buffer): der.Node => {
  (body.value as der.Node[])[keyPosition] = der.parseDer(spki);
  return body;
};

/** PEM of the certificate, signed with `signer` (a private key, PEM) by node:crypto: forge's own RSA is 31x slower. */
export const signCertificate = (unsigned: Unsigned, signer: string): string => {
  const certificate = pki.createCertificate();
  const spki = spkiOf(unsigned.publicKey);
  certificate.publicKey = placeholder;
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(unsigned.notBefore);
  certificate.validity.notAfter = new Date(unsigned.notAfter);
  certificate.setSubject(nameOf(unsigned.subject));
  const authority =
    unsigned.authority === undefined ? certificate : pki.certificateFromPem(unsigned.authority);
  // Byte for byte the authority's own name: Go compares them so.
  certificate.setIssuer(authority.subject.attributes);
  const authorityKey =
    unsigned.authority === undefined
      ? spki
      : read(unsigned.authority).publicKey.export({ type: 'spki', format: 'der' });
  certificate.setExtensions([
    ...unsigned.extensions,
    { name: 'subjectKeyIdentifier', value: der.toDer(der.octets(keyIdentifier(spki))).toString('binary') },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifier(authorityKey).toString('binary') },
  ]);
  certificate.md = md.sha256.create();
  certificate.signatureOid = signatureAlgorithm;
  certificate.siginfo.algorithmOid = signatureAlgorithm;
  certificate.tbsCertificate = withKey(getTBSCertificate(certificate), spki);
  const body = der.toDer(certificate.tbsCertificate);
  certificate.signature = sign('sha256', body, signer).toString('binary');
  return pki.certificateToPem(certificate);
};

const alternativeName = /(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

/** Node quotes, as JSON, what could be mistaken for more than one name. */
const unquoted = (text: string): string => {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
};

const namesOf = (certificate: X509Certificate): Pick<CertificateFacts, 'dnsNames' | 'addresses'> => {
  const names = [...(certificate.subjectAltName ?? '').matchAll(alternativeName)];
  const of = (type: string): string[] =>
    names.flatMap(([, found, value]) => (found === type && value !== undefined ? [unquoted(value)] : []));
  return { dnsNames: of('DNS'), addresses: of('IP Address').map(canonicalAddress) };
};

/** IPv6 in its shortest form, as RFC 5952 writes it; anything else as it is. */
export const canonicalAddress = (address: string): string => {
  if (!address.includes(':') || !URL.canParse(`http://[${address}]`)) return address;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
};

const read = (pem: string): X509Certificate => {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ClusterError('BadRequest', `this is no certificate in PEM form: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

const texts = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Throws BadRequest when `pem` is no certificate. */
export const parseCertificate = (pem: string): CertificateFacts => {
  const certificate = read(pem);
  // The plain text of a subject is escaped; this form has the values themselves.
  const subject = certificate.toLegacyObject().subject as
    { readonly CN?: string | readonly string[]; readonly O?: string | readonly string[] } | undefined;
  return {
    commonName: texts(subject?.CN)[0] ?? '',
    organizations: texts(subject?.O),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    ...namesOf(certificate),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
};

/** False also for what is no pair of a certificate and a private key. */
export const isPair = ({ certificate, key }: KeyPair): boolean => {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    // As above: either file is damaged.
    return false;
  }
};

/** True when the certificate carries the signature of this authority. */
export const isSignedBy = (pem: string, authority: string): boolean =>
  read(pem).verify(read(authority).publicKey);

/**
 * `sha256:<hex>` of the SubjectPublicKeyInfo: what a joining machine is told to expect (kubeadm's CA pin). Throws
 * BadRequest when `pem` is no certificate.
 */
export const authorityHash = (pem: string): string => {
  const spki = read(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
};
