import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterError } from '../../../src/base/errors.js';
import { certify, createAuthority } from '../../../src/pki/authority.js';
import { isPair, isSignedBy, parseCertificate } from '../../../src/pki/certificate.js';
import { createRequest, parseRequest } from '../../../src/pki/request.js';
import { createRandom, seeds } from '../../contract/random.js';

const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const authority = createAuthority({ commonName: 'capstan-ca', now, validDays: 3650 });
const node = createRequest({
  subject: { commonName: 'system:node:h1', organizations: ['system:nodes'] },
  dnsNames: ['h1'],
  addresses: ['10.77.0.1'],
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'requests-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A request as OpenSSL makes it. */
const openssl = (...args: readonly string[]): string => {
  const file = join(folder, 'made.csr');
  const key = ['-nodes', '-keyout', join(folder, 'made.key')];
  execFileSync('openssl', ['req', '-new', ...key, '-out', file, ...args], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
};

describe('a certificate signing request', () => {
  it('is read as it was made', () => {
    expect(parseRequest(node.request)).toMatchObject({
      commonName: 'system:node:h1',
      organizations: ['system:nodes'],
      dnsNames: ['h1'],
      addresses: ['10.77.0.1'],
      otherNames: [],
    });
  });

  it.each([
    ['an elliptic curve', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['RSA', ['-newkey', 'rsa:2048']],
    ['Ed25519', ['-newkey', 'ed25519']],
  ])('of OpenSSL with %s is read, and its key gets a certificate that OpenSSL accepts', (_, key) => {
    const made = openssl(
      ...key,
      '-subj',
      '/O=dev/O=ops/CN=anna',
      '-addext',
      'subjectAltName=IP:::1,email:a@b,DNS:x',
    );
    const facts = parseRequest(made);
    expect(facts).toMatchObject({
      commonName: 'anna',
      organizations: ['dev', 'ops'],
      dnsNames: ['x'],
      addresses: ['::1'],
      otherNames: ['a@b'],
    });
    const certificate = certify(authority, facts.publicKey, {
      subject: facts,
      usages: ['client'],
      now,
      lifetime: hour,
    });
    expect(isSignedBy(certificate, authority.certificate)).toBe(true);
    expect(isPair({ certificate, key: readFileSync(join(folder, 'made.key'), 'utf8') })).toBe(true);
    expect(parseCertificate(certificate)).toMatchObject({ notAfter: now + hour, notBefore: now - 300_000 });
  });

  it('begins a short life at most a tenth of it in the past', () => {
    const { publicKey } = parseRequest(node.request);
    const subject = { commonName: 'a', organizations: [] };
    const certificate = certify(authority, publicKey, { subject, usages: ['client'], now, lifetime: 60_000 });
    expect(parseCertificate(certificate).notBefore).toBe(now - 6_000);
  });

  it.each([
    ['nothing', ''],
    ['a certificate', authority.certificate],
    ['two requests', node.request + node.request],
    ['no base64', '-----BEGIN CERTIFICATE REQUEST-----\nä\n-----END CERTIFICATE REQUEST-----'],
    [
      'something endless',
      `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(100_000)}\n-----END CERTIFICATE REQUEST-----`,
    ],
  ])('that is %s is refused', (_, text) => {
    expect(() => parseRequest(text)).toThrow(/^this is no certificate signing request: /);
  });

  it('that was changed after it was signed is refused', () => {
    const [head = '', ...rest] = node.request.trim().split('\n');
    const der = Buffer.from(rest.slice(0, -1).join(''), 'base64');
    const name = der.indexOf('system:node:h1');
    der.write('system:node:h2', name);
    const forged = `${head}\n${der.toString('base64')}\n${rest.at(-1) ?? ''}`;
    expect(() => parseRequest(forged)).toThrow('not signed with the key that it names');
  });

  it.each(seeds([1, 2, 3]))('of random bytes never does more than be refused (seed %i)', (seed) => {
    const random = createRandom(seed);
    const der = Buffer.from(node.request.replace(/-----[^-]*-----/g, ''), 'base64');
    for (let round = 0; round < 400; round += 1) {
      const bytes = Buffer.from(der);
      for (let change = 0; change <= random.integer(4); change += 1)
        bytes.writeUInt8(random.integer(256), random.integer(bytes.length));
      const cut = random.chance(0.3) ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
      const text = `-----BEGIN CERTIFICATE REQUEST-----\n${cut.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
      try {
        parseRequest(text);
        expect(cut.equals(der), `seed ${String(seed)}: ${text}`).toBe(true);
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        expect(error.code).toBe('BadRequest');
      }
    }
  });
});
