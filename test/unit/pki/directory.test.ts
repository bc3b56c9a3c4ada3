import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAuthority, issueCertificate } from '../../../src/pki/authority.js';
import { authorityHash, isSignedBy, parseCertificate } from '../../../src/pki/certificate.js';
import {
  openAuthority,
  openCertificate,
  type CertificateRequest,
  type FileStore,
} from '../../../src/pki/directory.js';

const now = Date.UTC(2026, 5, 1);
const day = 24 * 60 * 60 * 1000;

const memoryFiles = (): FileStore & { readonly content: Map<string, string> } => {
  const content = new Map<string, string>();
  return {
    content,
    read: (name) => Promise.resolve(content.get(name)),
    write: (name, text) => {
      content.set(name, text);
      return Promise.resolve();
    },
  };
};

const server: CertificateRequest = {
  subject: { commonName: 'kube-apiserver', organizations: [] },
  usages: ['server'],
  dnsNames: ['localhost', 'kubernetes.default.svc'],
  addresses: ['127.0.0.1', '10.96.0.1'],
};

describe('certificates', () => {
  const authority = createAuthority({ commonName: 'capstan-ca', now, validDays: 3650 });

  it('say who they are for, and carry the signature of their authority', () => {
    const { certificate, key } = issueCertificate(authority, {
      subject: { commonName: 'system:node:h1', organizations: ['system:nodes'] },
      usages: ['client', 'server'],
      dnsNames: ['h1'],
      addresses: ['10.77.0.1'],
      now,
      validDays: 365,
    });
    expect(parseCertificate(certificate)).toMatchObject({
      commonName: 'system:node:h1',
      organizations: ['system:nodes'],
      dnsNames: ['h1'],
      addresses: ['10.77.0.1'],
      notAfter: now + 365 * day,
    });
    expect(isSignedBy(certificate, authority.certificate)).toBe(true);
    const parsed = new X509Certificate(certificate);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(parsed.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(parsed.ca).toBe(false);
  });

  it('are valid a little before now, for machines whose clock is behind, and never longer than their authority', () => {
    const request = { ...server, now: now + 3640 * day, validDays: 365 };
    const facts = parseCertificate(issueCertificate(authority, request).certificate);
    expect(facts.notBefore).toBe(request.now - 5 * 60 * 1000);
    expect(facts.notAfter).toBe(parseCertificate(authority.certificate).notAfter);
  });

  it('of another authority are recognised', () => {
    const other = createAuthority({ commonName: 'capstan-ca', now, validDays: 1 });
    const { certificate } = issueCertificate(other, { ...server, now, validDays: 1 });
    expect(isSignedBy(certificate, authority.certificate)).toBe(false);
    expect(authorityHash(other.certificate)).not.toBe(authorityHash(authority.certificate));
    expect(authorityHash(other.certificate)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe('the folder of certificates', () => {
  const open = async (files: FileStore, request: CertificateRequest, at = now): Promise<string> =>
    (await openCertificate(files, 'server', { authority: await openAuthority(files, at), request, now: at }))
      .certificate;

  it('keeps what fits', async () => {
    const files = memoryFiles();
    const first = await open(files, server);
    expect(await open(files, server, now + 100 * day)).toBe(first);
    expect([...files.content.keys()].sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  });

  it.each([
    ['when an address is added', { ...server, addresses: [...(server.addresses ?? []), '10.77.0.1'] }, now],
    ['when the subject changes', { ...server, subject: { commonName: 'other', organizations: [] } }, now],
    ['after 70 % of its life', server, now + 256 * day],
    ['when the clock stands before its life', server, now - day],
  ])('renews a certificate %s', async (_, request, at) => {
    const files = memoryFiles();
    const first = await open(files, server);
    const second = await open(files, request, at);
    expect(second).not.toBe(first);
    expect(isSignedBy(second, files.content.get('ca.crt') ?? '')).toBe(true);
  });

  it('renews what another authority has signed', async () => {
    const files = memoryFiles();
    const first = await open(files, server);
    files.content.delete('ca.key');
    expect(await open(files, server)).not.toBe(first);
  });
});
