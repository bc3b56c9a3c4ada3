// The certificates of one machine, kept as files: made when absent, renewed when they no longer fit or grow old.
import type { Instant } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import { createAuthority, issueCertificate, type CertificateOptions } from './authority.js';
import { renewalTime } from './renewal.js';
import { canonicalAddress, isPair, isSignedBy, parseCertificate, type KeyPair } from './certificate.js';

/** Files of one folder, by name; the host keeps them private. */
export interface FileStore {
  /** Undefined when there is no such file. */
  read(name: string): Promise<string | undefined>;
  /** Replaces the file in one step. */
  write(name: string, content: string): Promise<void>;
}

export type CertificateRequest = Omit<CertificateOptions, 'now' | 'lifetime'>;

const authorityDays = 3650;

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item) => b.includes(item));

/** True when the certificate still says what is asked for, is signed by this authority, and is not old. */
export const stillFits = (
  certificate: string,
  request: CertificateRequest,
  { authority, now }: { readonly authority: string; readonly now: Instant },
): boolean => {
  const facts = parseCertificate(certificate);
  return (
    now >= facts.notBefore &&
    now < renewalTime(facts) &&
    facts.commonName === request.subject.commonName &&
    sameSet(facts.organizations, request.subject.organizations) &&
    sameSet(facts.dnsNames, request.dnsNames ?? []) &&
    sameSet(facts.addresses, (request.addresses ?? []).map(canonicalAddress)) &&
    isSignedBy(certificate, authority)
  );
};

const readPair = async (files: FileStore, name: string): Promise<KeyPair | undefined> => {
  const [certificate, key] = await Promise.all([files.read(`${name}.crt`), files.read(`${name}.key`)]);
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
};

/** The key first: a certificate without its key would pass for a lost key. */
const writePair = async (files: FileStore, name: string, pair: KeyPair): Promise<KeyPair> => {
  await files.write(`${name}.key`, pair.key);
  await files.write(`${name}.crt`, pair.certificate);
  return pair;
};

const authorityName = 'ca';

const damaged = (what: string): ClusterError =>
  new ClusterError(
    'InternalError',
    `${what}: restore ca.crt and ca.key from a backup, or remove both to make a new authority, which every kubeconfig and node then has to be signed by again`,
  );

/** Everything that the authority has signed hangs on its key: one that is lost or damaged is never replaced silently. */
const checkAuthority = (pair: KeyPair, now: Instant): KeyPair => {
  if (!isPair(pair)) throw damaged("ca.key is not the key of the cluster's authority in ca.crt");
  const { notAfter } = parseCertificate(pair.certificate);
  if (notAfter <= now)
    throw damaged(`the cluster's authority in ca.crt has expired on ${new Date(notAfter).toISOString()}`);
  return pair;
};

/** The authority in the files, or a new one where there is none. Throws when it is damaged or has expired. */
export const openAuthority = async (files: FileStore, now: Instant): Promise<KeyPair> => {
  const known = await readPair(files, authorityName);
  if (known !== undefined) return checkAuthority(known, now);
  if ((await files.read(`${authorityName}.crt`)) !== undefined)
    throw damaged("ca.key, the key of the cluster's authority in ca.crt, is missing");
  const made = createAuthority({ commonName: 'capstan-ca', now, validDays: authorityDays });
  return writePair(files, authorityName, made);
};

/** A damaged certificate, or one that a crash left beside another key, is made anew like one that grew old. */
const isUsable = (pair: KeyPair, request: CertificateRequest, authority: string, now: Instant): boolean =>
  isPair(pair) && stillFits(pair.certificate, request, { authority, now });

/** The certificate `name` in the files while it fits, otherwise a new one. */
export const openCertificate = async (
  files: FileStore,
  name: string,
  {
    authority,
    request,
    now,
    lifetime,
  }: {
    readonly authority: KeyPair;
    readonly request: CertificateRequest;
    readonly now: Instant;
    /** Milliseconds. */
    readonly lifetime: number;
  },
): Promise<KeyPair> => {
  const known = await readPair(files, name);
  if (known !== undefined && isUsable(known, request, authority.certificate, now)) return known;
  return writePair(files, name, issueCertificate(authority, { ...request, now, lifetime }));
};
