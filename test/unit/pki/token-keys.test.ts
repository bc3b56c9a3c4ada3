import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  ownAlgorithms,
  ownKeys,
  signClaims,
  unverifiedClaims,
  verifyClaims,
} from '../../../src/pki/json-web-token.js';
import { keySet, openTokenKeys, rotateTokenKey, type TokenKeys } from '../../../src/pki/token-keys.js';
import { createRandom, seeds } from '../../contract/random.js';
import { memoryFiles } from './files.js';

const now = Date.UTC(2026, 5, 1);
const issuer = 'https://kubernetes.default.svc.cluster.local';
const claims = { iss: issuer, sub: 'system:serviceaccount:a:b', exp: now / 1000 + 600, nbf: now / 1000 };
const verify = (token: string, keys: TokenKeys, at = now) =>
  verifyClaims(token, ownKeys(keys), { issuer, algorithms: ownAlgorithms, now: at });

describe('the keys that sign tokens of service accounts', () => {
  it('are made once; what the key signs, its public half verifies', async () => {
    const files = memoryFiles();
    const made = await openTokenKeys(files);
    const again = await openTokenKeys(files);
    expect(again.signing.id).toBe(made.signing.id);
    expect(await verify(await signClaims(claims, made), again)).toEqual({ claims });
  });

  it('rotate: the new one signs, and what the former ones signed stays good, for as many as are kept', async () => {
    const files = memoryFiles();
    const first = await openTokenKeys(files);
    const old = await signClaims(claims, first);
    const second = await rotateTokenKey(files);
    expect(second.signing.id).not.toBe(first.signing.id);
    expect(second.verifying.map(({ id }) => id)).toEqual([second.signing.id, first.signing.id]);
    expect(await verify(old, second)).toEqual({ claims });
    for (let more = 0; more < 8; more += 1) await rotateTokenKey(files);
    expect(await verify(old, await openTokenKeys(files))).toHaveProperty('problem');
  }, 60_000);

  it('are never replaced silently', async () => {
    const files = memoryFiles();
    files.content.set('sa.key', 'damaged');
    await expect(openTokenKeys(files)).rejects.toThrow(/sa\.key is no private key: restore it/);
  });

  it('may be of an elliptic curve, and are shown as a key set', async () => {
    const files = memoryFiles();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    files.content.set('sa.key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const keys = await openTokenKeys(files);
    expect(await verify(await signClaims(claims, keys), keys)).toEqual({ claims });
    expect(await keySet(keys)).toMatchObject({
      keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: keys.signing.id }],
    });
  });
});

describe('a signed token', () => {
  const keys = openTokenKeys(memoryFiles());

  it('is refused when it has expired, is not valid yet, or is of another issuer', async () => {
    const token = await signClaims(claims, await keys);
    expect(await verify(token, await keys, now + 700_000)).toEqual({ problem: 'it has expired' });
    expect(await verify(token, await keys, now - 700_000)).toEqual({
      problem: 'it is not valid yet: compare the clocks',
    });
    const other = await signClaims({ ...claims, iss: 'https://elsewhere' }, await keys);
    expect(await verify(other, await keys)).toHaveProperty('problem');
  });

  it('is refused when it is not signed, or signed with the public key as a secret', async () => {
    const { signing } = await keys;
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(await verify(`${part({ alg: 'none' })}.${part(claims)}.`, await keys)).toHaveProperty('problem');
    const publicPem = signing.key.export({ type: 'spki', format: 'pem' });
    const confused = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: signing.id })
      .sign(Buffer.from(publicPem));
    expect(await verify(confused, await keys)).toHaveProperty('problem');
  });

  it.each(seeds([1, 2]))(
    'is refused with any change of its text, without a crash (seed %i)',
    async (seed) => {
      const random = createRandom(seed);
      const token = await signClaims(claims, await keys);
      const parsed = unverifiedClaims(token);
      for (let round = 0; round < 300; round += 1) {
        const at = random.integer(token.length - 2);
        const changed = `${token.slice(0, at)}${random.pick(Array.from('AZaz09-_.{"'))}${token.slice(at + 1)}`;
        const [, payload = ''] = changed.split('.');
        unverifiedClaims(changed);
        const verified = await verify(changed, await keys);
        // The last character of a part may carry bits that say nothing: then the claims are what they were.
        if ('claims' in verified) expect(verified.claims, `${changed} ${payload}`).toEqual(parsed);
      }
      expect(unverifiedClaims('a'.repeat(100_000))).toBeUndefined();
    },
  );
});
