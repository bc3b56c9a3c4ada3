import { describe, expect, it } from 'vitest';
import {
  bootstrapTokenSecret,
  hasExpired,
  parseToken,
  readBootstrapToken,
} from '../../../src/resources/bootstrap-token.js';
import { readClusterInfo, renderClusterInfo } from '../../../src/resources/cluster-info.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import { createRandom, seeds } from '../../contract/random.js';
import { accepted } from './sentences.js';

const token = {
  id: 'abcdef',
  secret: '0123456789abcdef',
  expires: Date.UTC(2026, 0, 1),
  description: 'for h2',
  usages: ['authentication', 'signing'],
  groups: ['system:bootstrappers:rack-1'],
};

const stored = (draft: object, change: object = {}) => {
  const secret = secrets.defaulted(accepted(secrets, draft));
  return { ...secret, ...change };
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a bootstrap token', () => {
  it('is read as it was written', () => {
    expect(readBootstrapToken(stored(bootstrapTokenSecret(token)))).toEqual(token);
    const plain = { ...token, expires: undefined, description: '', groups: [] };
    expect(readBootstrapToken(stored(bootstrapTokenSecret(plain)))).toEqual(plain);
  });

  it('is none when its name, type, namespace or form is another', () => {
    const secret = stored(bootstrapTokenSecret(token));
    const { metadata } = secret;
    expect(readBootstrapToken({ ...secret, type: 'Opaque' })).toBeUndefined();
    expect(
      readBootstrapToken({ ...secret, metadata: { ...metadata, name: 'bootstrap-token-zzzzzz' } }),
    ).toBeUndefined();
    expect(
      readBootstrapToken({ ...secret, metadata: { ...metadata, namespace: 'default' } }),
    ).toBeUndefined();
    expect(
      readBootstrapToken({ ...secret, data: { ...secret.data, 'token-secret': base64('short') } }),
    ).toBeUndefined();
  });

  it('has expired when nobody can read when it does', () => {
    const secret = stored(bootstrapTokenSecret(token));
    const broken = readBootstrapToken({ ...secret, data: { ...secret.data, expiration: base64('soon') } });
    expect(hasExpired(broken!, Date.UTC(2020, 0, 1))).toBe(true);
  });

  it('brings no groups but those of machines that join', () => {
    const secret = stored(
      bootstrapTokenSecret({ ...token, groups: ['system:masters', 'system:bootstrappers:a'] }),
    );
    expect(readBootstrapToken(secret)?.groups).toEqual(['system:bootstrappers:a']);
  });

  it.each(seeds([1, 2]))(
    'is read from any text without a crash, and only in its one form (seed %i)',
    (seed) => {
      const random = createRandom(seed);
      for (let round = 0; round < 5000; round += 1) {
        const text = Array.from({ length: random.integer(30) }, () =>
          random.pick(Array.from('abz019.-A \n')),
        ).join('');
        const parsed = parseToken(text);
        expect(parsed === undefined || `${parsed.id}.${parsed.secret}` === text, JSON.stringify(text)).toBe(
          true,
        );
      }
      expect(parseToken('abcdef.0123456789abcdef\n')).toBeUndefined();
    },
  );
});

describe('cluster-info', () => {
  it('is read as it was rendered; anything else is nothing', () => {
    const info = { server: 'https://10.0.0.1:6443', ca: '-----BEGIN CERTIFICATE-----\n' };
    expect(readClusterInfo(renderClusterInfo(info))).toEqual(info);
    for (const text of [
      '',
      'a: [',
      'clusters: 1',
      'clusters: []',
      'clusters: [{cluster: {server: 1}}]',
      '- &a [*a]',
    ])
      expect(readClusterInfo(text)).toBeUndefined();
  });
});
