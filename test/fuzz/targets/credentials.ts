// What strangers send before anyone knows them: certificates, requests for certificates, tokens, signatures.
import { createAuthority } from '../../../src/pki/authority.js';
import { parseCertificate } from '../../../src/pki/certificate.js';
import { signDetached, verifyDetached } from '../../../src/pki/detached-signature.js';
import { createRequest, parseRequest } from '../../../src/pki/request.js';
import { parseToken } from '../../../src/resources/bootstrap-token.js';
import { refusing } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

const day = Date.UTC(2026, 0, 1);
const key = { id: 'abcdef', secret: '0123456789abcdef' };

/** The bytes of a PEM text, so that mutations reach what is inside. */
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

const pemOf = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

export const credentials = (): readonly FuzzTarget[] => {
  const { certificate } = createAuthority({ commonName: 'ca', now: day, validDays: 10 });
  const { request } = createRequest({
    subject: { commonName: 'system:node:n1', organizations: ['system:nodes'] },
    dnsNames: ['n1'],
    addresses: ['10.0.0.1'],
  });
  const jws = signDetached('content', key);
  const words = [
    '\x30\x84\xff\xff\xff\xff',
    '\x30\x80',
    '\x06\x03\x55\x04\x03',
    '\x00\x00',
    '\xa0\x82\x00\x00',
  ];
  return [
    {
      name: 'certificates',
      corpus: [derOf(certificate)],
      words,
      run: (input) => refusing(() => parseCertificate(pemOf('CERTIFICATE', input))),
    },
    {
      name: 'certificates as text',
      corpus: [certificate],
      words: ['-----BEGIN CERTIFICATE-----', '-----END', '\n', '=='],
      run: (input) => refusing(() => parseCertificate(input.toString('latin1'))),
    },
    {
      name: 'certificate requests',
      corpus: [derOf(request)],
      words,
      run: (input) => refusing(() => parseRequest(pemOf('CERTIFICATE REQUEST', input))),
    },
    {
      name: 'tokens and signatures',
      corpus: ['abcdef.0123456789abcdef', jws],
      words: ['.', '..', 'eyJhbGciOiJub25lIn0', 'eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9'],
      run: (input) => {
        const text = input.toString('latin1');
        refusing(() => parseToken(text));
        refusing(() => {
          if (verifyDetached(text, 'content', key) && text !== jws)
            throw new Error('a signature that was changed is accepted');
        });
      },
    },
  ];
};
