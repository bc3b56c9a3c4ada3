import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import forge from 'node-forge';
import { describe, expect, it } from 'vitest';
import { createAuthority, issueCertificate } from '../../../src/pki/authority.js';
import {
  authorityHash,
  canonicalAddress,
  isPair,
  isSignedBy,
  parseCertificate,
  signCertificate,
  type KeyPair,
} from '../../../src/pki/certificate.js';
import { ClusterError } from '../../../src/base/errors.js';
import { createRandom, seeds, type Random } from '../../contract/random.js';

const now = Date.UTC(2026, 5, 1);
const day = 24 * 60 * 60 * 1000;
const authority = createAuthority({ commonName: 'capstan-ca', now, validDays: 3650 });
const node = issueCertificate(authority, {
  subject: { commonName: 'system:node:h1', organizations: ['system:nodes'] },
  usages: ['client', 'server'],
  dnsNames: ['h1'],
  addresses: ['10.77.0.1', '2001:db8::1'],
  now,
  lifetime: 365 * day,
});

describe('a certificate', () => {
  it('says who it is for, and carries the signature of its authority', () => {
    expect(parseCertificate(node.certificate)).toEqual({
      commonName: 'system:node:h1',
      organizations: ['system:nodes'],
      dnsNames: ['h1'],
      addresses: ['10.77.0.1', '2001:db8::1'],
      notBefore: now - 5 * 60 * 1000,
      notAfter: now + 365 * day,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(isSignedBy(node.certificate, authority.certificate)).toBe(true);
    const parsed = new X509Certificate(node.certificate);
    expect(parsed.checkPrivateKey(createPrivateKey(node.key))).toBe(true);
    expect(parsed.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(parsed.ca).toBe(false);
    expect(new X509Certificate(authority.certificate).ca).toBe(true);
  });

  it('is valid a little before now, for machines whose clock is behind, and never longer than its authority', () => {
    const late = now + 3640 * day;
    const { certificate } = issueCertificate(authority, {
      subject: { commonName: 'x', organizations: [] },
      usages: ['client'],
      now: late,
      lifetime: 365 * day,
    });
    const facts = parseCertificate(certificate);
    expect(facts.notBefore).toBe(late - 5 * 60 * 1000);
    expect(facts.notAfter).toBe(parseCertificate(authority.certificate).notAfter);
  });

  it('of another authority with the same name is recognised', () => {
    const other = createAuthority({ commonName: 'capstan-ca', now, validDays: 1 });
    expect(isSignedBy(node.certificate, other.certificate)).toBe(false);
    expect(authorityHash(other.certificate)).not.toBe(authorityHash(authority.certificate));
    expect(authorityHash(other.certificate)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(isPair({ certificate: node.certificate, key: other.key })).toBe(false);
  });

  it('names its authority byte for byte, and the key that signed it', () => {
    const [leaf, root] = [node, authority].map(({ certificate }) =>
      forge.pki.certificateFromPem(certificate),
    );
    const der = (name: object): string => JSON.stringify((name as { attributes: unknown }).attributes);
    expect(der(leaf!.issuer)).toBe(der(root!.subject));
    const identifier = root!.generateSubjectKeyIdentifier().toHex();
    const extension = leaf!.getExtension('authorityKeyIdentifier') as { value: string };
    expect(forge.util.bytesToHex(extension.value)).toContain(identifier);
    expect(root!.verify(leaf!)).toBe(true);
  });

  it('has a serial number of its own that is positive and as short as DER asks', () => {
    const unsigned = {
      subject: { commonName: 'x', organizations: [] },
      authority: undefined,
      publicKey: createPublicKey(authority.key).export({ type: 'spki', format: 'pem' }).toString(),
      notBefore: now,
      notAfter: now + day,
      extensions: [],
    };
    const serials = Array.from({ length: 100 }, () => {
      const { serialNumber } = new X509Certificate(signCertificate(unsigned, authority.key));
      return serialNumber.toLowerCase();
    });
    expect(new Set(serials).size).toBe(100);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  });
});

const handshake = (server: KeyPair, client: KeyPair, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const listener = createServer(
      { cert: server.certificate, key: server.key, ca, requestCert: true, rejectUnauthorized: true },
      (socket: TLSSocket) => {
        socket.on('error', reject);
        socket.end(String(socket.getPeerCertificate().subject.CN));
      },
    );
    const finish = (settle: () => void): void => {
      listener.close();
      settle();
    };
    listener.on('tlsClientError', (error) => {
      finish(() => {
        reject(error);
      });
    });
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address() as AddressInfo;
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'api.example',
        ca,
        cert: client.certificate,
        key: client.key,
      });
      let said = '';
      socket.setEncoding('utf8');
      socket.on('data', (text: string) => {
        said += text;
      });
      socket.on('end', () => {
        finish(() => {
          resolve(said);
        });
      });
      socket.on('error', (error) => {
        finish(() => {
          reject(error);
        });
      });
    });
  });

describe('a TLS connection', () => {
  const at = Date.now();
  const live = createAuthority({ commonName: 'capstan-ca', now: at, validDays: 10 });
  const issue = (usage: 'client' | 'server', dnsNames: readonly string[], validDays = 5): KeyPair =>
    issueCertificate(live, {
      subject: { commonName: `the-${usage}`, organizations: ['system:masters'] },
      usages: [usage],
      dnsNames,
      now: validDays < 0 ? at - 10 * day : at,
      lifetime: Math.abs(validDays) * day,
    });
  const server = issue('server', ['api.example']);
  const client = issue('client', []);

  it('stands with certificates of one authority, and tells the server who asks', async () => {
    expect(await handshake(server, client, live.certificate)).toBe('the-client');
  });

  it.each([
    ['the server has another name', () => [issue('server', ['other.example']), client]],
    ['the client has the certificate of a server', () => [server, issue('server', [])]],
    ['the server has the certificate of a client', () => [issue('client', ['api.example']), client]],
    ['the certificate of the server has expired', () => [issue('server', ['api.example'], -1), client]],
  ] as const)('fails when %s', async (_, pairs) => {
    const [served, asking] = pairs() as [KeyPair, KeyPair];
    await expect(handshake(served, asking, live.certificate)).rejects.toThrow();
  });
});

describe('an address', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::1', '::1'],
    ['not:an:address', 'not:an:address'],
  ])('%s is written %s', (address, canonical) => {
    expect(canonicalAddress(address)).toBe(canonical);
  });
});

const someText = (random: Random): string =>
  Array.from({ length: 1 + random.integer(8) }, () =>
    random.pick([
      'a',
      'Z',
      '9',
      ':',
      '-',
      '_',
      '@',
      '*',
      ',',
      '+',
      '=',
      '"',
      '\\',
      '\n',
      '/',
      '#',
      ' ',
      'ü',
      '漢',
      '🙂',
    ]),
  ).join('');

describe.each(seeds([1]))('random certificates, seed %i', (seed) => {
  it('say exactly what was asked for, whatever characters it has', () => {
    const random = createRandom(seed);
    for (let round = 0; round < 6; round += 1) {
      const subject = {
        commonName: someText(random),
        organizations: Array.from({ length: random.integer(3) }, () => someText(random)),
      };
      const dnsNames = Array.from({ length: random.integer(3) }, () =>
        Array.from({ length: 1 + random.integer(6) }, () =>
          random.pick(['a', '.', '-', ',', ' ', ':', '"']),
        ).join(''),
      );
      const { certificate } = issueCertificate(authority, {
        subject,
        usages: ['client'],
        dnsNames,
        now,
        lifetime: day,
      });
      expect(parseCertificate(certificate), JSON.stringify({ subject, dnsNames })).toMatchObject({
        ...subject,
        dnsNames,
      });
    }
  });

  it('are read or refused with a sentence when they are damaged, and never taken for signed', () => {
    const random = createRandom(seed);
    const end = performance.now() + 1000;
    let refused = 0;
    while (performance.now() < end) {
      const bytes = Buffer.from(node.certificate);
      for (let flips = 1 + random.integer(4); flips > 0; flips -= 1)
        bytes[random.integer(bytes.length)] = random.integer(128);
      const cut = random.chance(0.2) ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
      const pem = cut.toString('latin1');
      try {
        const facts = parseCertificate(pem);
        if (isSignedBy(pem, authority.certificate)) expect(facts).toEqual(parseCertificate(node.certificate));
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(ClusterError);
        expect((error as Error).message).toMatch(/^this is no certificate in PEM form: /);
      }
      isPair({ certificate: pem, key: pem });
    }
    expect(refused).toBeGreaterThan(10);
  });
});
