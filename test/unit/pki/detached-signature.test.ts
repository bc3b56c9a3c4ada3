import { describe, expect, it } from 'vitest';
import { createHmac } from 'node:crypto';
import { signDetached, verifyDetached } from '../../../src/pki/detached-signature.js';
import { createRandom, seeds } from '../../contract/random.js';

const key = { id: 'abcdef', secret: '0123456789abcdef' };
const content = 'apiVersion: v1\nkind: Config\n';
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signature as anyone could make it who knows the secret, with a header of their own. */
const withHeader = (header: object): string => {
  const head = encode(header);
  const mac = createHmac('sha256', key.secret)
    .update(`${head}.${Buffer.from(content).toString('base64url')}`)
    .digest('base64url');
  return `${head}..${mac}`;
};

describe('the signature of a bootstrap token', () => {
  it('has the form of kubeadm, and holds for its content and key only', () => {
    const jws = signDetached(content, key);
    expect(jws.split('.')[0]).toBe(encode({ alg: 'HS256', kid: 'abcdef' }));
    expect(jws).toBe(withHeader({ alg: 'HS256', kid: 'abcdef' }));
    expect(verifyDetached(jws, content, key)).toBe(true);
    expect(verifyDetached(jws, `${content} `, key)).toBe(false);
    expect(verifyDetached(jws, content, { ...key, secret: '0123456789abcdeg' })).toBe(false);
    expect(verifyDetached(jws, content, { ...key, id: 'abcdeg' })).toBe(false);
  });

  it.each([
    ['no algorithm', { alg: 'none', kid: 'abcdef' }],
    ['another algorithm', { alg: 'HS512', kid: 'abcdef' }],
    ['another key', { alg: 'HS256', kid: 'zzzzzz' }],
    ['no key', { alg: 'HS256' }],
    ['an extension that must be understood', { alg: 'HS256', kid: 'abcdef', crit: ['b64'], b64: false }],
  ])('is refused with %s in its header', (_, header) => {
    expect(verifyDetached(withHeader(header), content, key)).toBe(false);
  });

  it('is refused when it carries a payload of its own', () => {
    const [header = '', , mac = ''] = signDetached(content, key).split('.');
    expect(verifyDetached(`${header}.${encode(content)}.${mac}`, content, key)).toBe(false);
    expect(verifyDetached(`${header}..${mac}.`, content, key)).toBe(false);
  });

  it.each(seeds([1, 2]))('is refused for any change of its text, without a crash (seed %i)', (seed) => {
    const random = createRandom(seed);
    const jws = signDetached(content, key);
    for (let round = 0; round < 2000; round += 1) {
      const at = random.integer(jws.length - 1);
      const other = random.pick(Array.from('AZaz09-_.{"'));
      const changed = `${jws.slice(0, at)}${other}${jws.slice(at + (random.chance(0.5) ? 1 : 0))}`;
      if (changed !== jws) expect(verifyDetached(changed, content, key), changed).toBe(false);
    }
  });
});
