// The certificates of one machine, kept as files: made when absent, renewed when they no longer fit or grow old.
import type { Instant } from '../base/clock.js';
import { createAuthority, issueCertificate, type CertificateOptions } from './authority.js';
import { isSignedBy, parseCertificate, type KeyPair } from './certificate.js';

/** Files of one folder, by name; the host keeps them private. */
export interface FileStore {
  /** Undefined when there is no such file. */
  read(name: string): Promise<string | undefined>;
  /** Replaces the file in one step. */
  write(name: string, content: string): Promise<void>;
}

export type CertificateRequest = Omit<CertificateOptions, 'now' | 'validDays'>;

const authorityDays = 3650;
const certificateDays = 365;

/** Share of its life after which a certificate is renewed (Kubernetes' agents: 70 to 90 %). */
const renewalShare = 0.7;

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item) => b.includes(item));

/** True when the certificate still says what is asked for, is signed by this authority, and is not old. */
export const stillFits = (
  certificate: string,
  request: CertificateRequest,
  { authority, now }: { readonly authority: string; readonly now: Instant },
): boolean => {
  const facts = parseCertificate(certificate);
  const age = (now - facts.notBefore) / (facts.notAfter - facts.notBefore);
  return (
    age >= 0 &&
    age < renewalShare &&
    facts.commonName === request.subject.commonName &&
    sameSet(facts.organizations, request.subject.organizations) &&
    sameSet(facts.dnsNames, request.dnsNames ?? []) &&
    sameSet(facts.addresses, request.addresses ?? []) &&
    isSignedBy(certificate, authority)
  );
};

const readPair = async (files: FileStore, name: string): Promise<KeyPair | undefined> => {
  const [certificate, key] = await Promise.all([files.read(`${name}.crt`), files.read(`${name}.key`)]);
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
};

const writePair = async (files: FileStore, name: string, pair: KeyPair): Promise<KeyPair> => {
  await files.write(`${name}.key`, pair.key);
  await files.write(`${name}.crt`, pair.certificate);
  return pair;
};

/** The authority in the files, or a new one. */
export const openAuthority = async (files: FileStore, now: Instant): Promise<KeyPair> =>
  (await readPair(files, 'ca')) ??
  (await writePair(
    files,
    'ca',
    createAuthority({ commonName: 'capstan-ca', now, validDays: authorityDays }),
  ));

/** The certificate `name` in the files while it fits, otherwise a new one. */
export const openCertificate = async (
  files: FileStore,
  name: string,
  {
    authority,
    request,
    now,
  }: { readonly authority: KeyPair; readonly request: CertificateRequest; readonly now: Instant },
): Promise<KeyPair> => {
  const known = await readPair(files, name);
  if (known !== undefined && stillFits(known.certificate, request, { authority: authority.certificate, now }))
    return known;
  return writePair(files, name, issueCertificate(authority, { ...request, now, validDays: certificateDays }));
};
