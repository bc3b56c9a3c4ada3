// Signed claims (RFC 7519), over jose: made with the cluster's key, and read from whoever signs for an issuer.
import { decodeJwt, errors, jwtVerify, SignJWT, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { Instant } from '../base/clock.js';
import type { TokenKeys } from './token-keys.js';

export type Claims = JWTPayload;

/** Far more than the claims of any user need. */
const longest = 16 * 1024;

/** `claims` are whole: issuer, audience and times included, which are in seconds. */
export const signClaims = (claims: Claims, { signing }: TokenKeys): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: signing.algorithm, kid: signing.id })
    .sign(signing.privateKey);

/** Claims as they stand there, proven by nothing; undefined for what is no token of this form. */
export const unverifiedClaims = (token: string): Claims | undefined => {
  if (token.length > longest) return undefined;
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
};

export type Verified =
  | { readonly claims: Claims }
  /** Why it is not good, for people. */
  | { readonly problem: string };

const problemOf = (error: errors.JOSEError): string => {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' ? 'it is not valid yet: compare the clocks' : error.message;
  return 'it was not signed with a key that is known here';
};

export interface VerifyOptions {
  readonly issuer: string;
  /** One of them must be named; absent: any. */
  readonly audiences?: readonly string[] | undefined;
  readonly algorithms: readonly string[];
  readonly now: Instant;
}

/** Never throws for a bad token; what the key finder throws of its own passes. */
export const verifyClaims = async (
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audiences, algorithms, now }: VerifyOptions,
): Promise<Verified> => {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      ...(audiences === undefined ? {} : { audience: [...audiences] }),
      algorithms: [...algorithms],
      currentDate: new Date(now),
      // Machines' clocks differ a little.
      clockTolerance: 10,
    });
    return { claims: payload };
  } catch (error) {
    if (error instanceof errors.JOSEError) return { problem: problemOf(error) };
    throw error;
  }
};

/** By key id; a token that names none is tried with each. */
export const ownKeys =
  ({ verifying }: TokenKeys): JWTVerifyGetKey =>
  ({ kid, alg }) => {
    const found = verifying.find(
      ({ id, algorithm }) => algorithm === alg && (kid === undefined || id === kid),
    );
    if (found === undefined) throw new errors.JWKSNoMatchingKey();
    return found.key;
  };

export const ownAlgorithms = ['RS256', 'ES256', 'ES384', 'ES512'] as const;
