import { beforeAll, describe, expect, it } from 'vitest';
import { isPair, isSignedBy } from '../../../src/pki/certificate.js';
import {
  openAuthority,
  openCertificate,
  type CertificateRequest,
  type FileStore,
} from '../../../src/pki/directory.js';
import { memoryFiles } from './files.js';

const now = Date.UTC(2026, 5, 1);
const day = 24 * 60 * 60 * 1000;

const server: CertificateRequest = {
  subject: { commonName: 'kube-apiserver', organizations: [] },
  usages: ['server'],
  dnsNames: ['localhost', 'kubernetes.default.svc'],
  addresses: ['127.0.0.1', '10.96.0.1'],
};

const open = async (files: FileStore, request: CertificateRequest, at = now): Promise<string> =>
  (
    await openCertificate(files, 'server', {
      authority: await openAuthority(files, at),
      request,
      now: at,
      lifetime: 365 * day,
    })
  ).certificate;

/** A folder with an authority and the certificate of a server, made once: keys take their time. */
const filled = memoryFiles();
let first = '';
beforeAll(async () => {
  first = await open(filled, server);
});

describe('the folder of certificates', () => {
  it('keeps what fits', async () => {
    const files = memoryFiles(filled.content);
    expect(await open(files, server, now + 100 * day)).toBe(first);
    expect([...files.content.keys()].sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  });

  it.each([
    ['when an address is added', { ...server, addresses: [...(server.addresses ?? []), '10.77.0.1'] }, now],
    ['when the subject changes', { ...server, subject: { commonName: 'other', organizations: [] } }, now],
    ['after 90 % of its life', server, now + 330 * day],
    ['when the clock stands before its life', server, now - day],
  ])('renews a certificate %s', async (_, request, at) => {
    const files = memoryFiles(filled.content);
    const second = await open(files, request, at);
    expect(second).not.toBe(first);
    expect(isSignedBy(second, files.content.get('ca.crt') ?? '')).toBe(true);
  });

  it('renews what another authority has signed', async () => {
    const files = memoryFiles(filled.content);
    files.content.delete('ca.key');
    files.content.delete('ca.crt');
    expect(await open(files, server)).not.toBe(first);
  });

  it('keeps a certificate whose IPv6 addresses are asked for in another form', async () => {
    const files = memoryFiles(filled.content);
    const made = await open(files, { ...server, addresses: ['2001:db8::1'] });
    expect(await open(files, { ...server, addresses: ['2001:0DB8:0::0001'] })).toBe(made);
  });

  it.each([
    ['the certificate is damaged', 'server.crt', 'not a certificate'],
    ['the key is damaged', 'server.key', 'not a key'],
    ['the certificate is empty', 'server.crt', ''],
  ])('renews a certificate when %s', async (_, name, content) => {
    const files = memoryFiles(filled.content);
    files.content.set(name, content);
    const second = await open(files, server);
    expect(second).not.toBe(first);
    expect(isPair({ certificate: second, key: files.content.get('server.key') ?? '' })).toBe(true);
  });

  it('renews a certificate that a crash left beside a newer key', async () => {
    const files = memoryFiles(filled.content);
    files.content.set('server.key', files.content.get('ca.key') ?? '');
    expect(await open(files, server)).not.toBe(first);
  });
});

describe('the authority in the folder', () => {
  it('is made once', async () => {
    const files = memoryFiles(filled.content);
    expect((await openAuthority(files, now + day)).certificate).toBe(filled.content.get('ca.crt'));
    expect(files.content).toEqual(filled.content);
  });

  it('is made anew when a crash left only its key', async () => {
    const files = memoryFiles(filled.content);
    files.content.delete('ca.crt');
    expect(isPair(await openAuthority(files, now))).toBe(true);
  });

  it.each<[string, (content: Map<string, string>) => void, number, RegExp]>([
    ['its key is missing', (content) => content.delete('ca.key'), now, /ca\.key.* is missing: restore/],
    ['its key is damaged', (content) => content.set('ca.key', 'x'), now, /ca\.key is not the key/],
    ['its certificate is damaged', (content) => content.set('ca.crt', 'x'), now, /ca\.key is not the key/],
    ['it has expired', () => undefined, now + 3651 * day, /expired on 2036-05-29/],
  ])('is never replaced silently: %s', async (_, damage, at, message) => {
    const files = memoryFiles(filled.content);
    damage(files.content);
    const before = new Map(files.content);
    await expect(openAuthority(files, at)).rejects.toThrow(message);
    expect(files.content).toEqual(before);
  });
});
