// The detached JWS by which a bootstrap token vouches for cluster-info: HS256, the token's secret is the key.
// https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#configmap-signing
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isObject } from '../base/json.js';

export interface SignatureKey {
  readonly id: string;
  readonly secret: string;
}

const encoded = (text: string | Uint8Array): string => Buffer.from(text as string).toString('base64url');

const mac = (header: string, content: string, secret: string): Buffer =>
  createHmac('sha256', secret)
    .update(`${header}.${encoded(content)}`)
    .digest();

/** `header..signature`: the payload is known to whoever verifies. */
export const signDetached = (content: string, { id, secret }: SignatureKey): string => {
  const header = encoded(JSON.stringify({ alg: 'HS256', kid: id }));
  return `${header}..${encoded(mac(header, content, secret))}`;
};

const headerOf = (text: string): Record<string, unknown> | undefined => {
  try {
    const header: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return isObject(header) ? header : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/** False for every other algorithm, key, content or form. */
export const verifyDetached = (jws: string, content: string, { id, secret }: SignatureKey): boolean => {
  const [header = '', payload, signature = '', ...rest] = jws.split('.');
  if (payload !== '' || rest.length > 0) return false;
  const facts = headerOf(header);
  if (facts?.['alg'] !== 'HS256' || facts['kid'] !== id) return false;
  // What a reader does not know of and must understand would change the meaning of the rest.
  if (facts['crit'] !== undefined || facts['b64'] !== undefined) return false;
  // Compared as text: readers of base64 overlook what does not belong there.
  const wanted = Buffer.from(encoded(mac(header, content, secret)));
  const found = Buffer.from(signature);
  return found.length === wanted.length && timingSafeEqual(found, wanted);
};
