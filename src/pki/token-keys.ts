// The keys that sign tokens of service accounts: one signs, former ones still vouch for what they have signed.
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import { ClusterError } from '../base/errors.js';
import { generateKey } from './certificate.js';
import type { FileStore } from './directory.js';

export interface VerifyingKey {
  /** Kubernetes' key id: SHA-256 of the SubjectPublicKeyInfo, base64url. */
  readonly id: string;
  readonly key: KeyObject;
  readonly algorithm: 'RS256' | 'ES256' | 'ES384' | 'ES512';
}

export interface TokenKeys {
  readonly signing: VerifyingKey & { readonly privateKey: KeyObject };
  /** The signing key's own first. */
  readonly verifying: readonly VerifyingKey[];
}

const signingFile = 'sa.key';
/** PEM blocks of public keys, the newest first. */
const formerFile = 'sa-former.pub';
/** Whoever rotates more often than tokens expire takes them away. */
const keptFormer = 8;

const curves: Readonly<Record<string, VerifyingKey['algorithm']>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

const algorithmOf = (key: KeyObject): VerifyingKey['algorithm'] | undefined =>
  key.asymmetricKeyType === 'rsa' ? 'RS256' : curves[key.asymmetricKeyDetails?.namedCurve ?? ''];

const verifyingKey = (key: KeyObject): VerifyingKey => {
  const algorithm = algorithmOf(key);
  if (algorithm === undefined)
    throw new ClusterError(
      'InternalError',
      `a key that signs service account tokens must be RSA, or of the curves P-256, P-384 and P-521, not ${key.asymmetricKeyType ?? 'secret'}`,
    );
  const spki = key.export({ type: 'spki', format: 'der' });
  return { id: createHash('sha256').update(spki).digest('base64url'), key, algorithm };
};

const blocks = (pem: string): readonly string[] =>
  pem.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];

const privateKeyOf = (pem: string): KeyObject => {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new ClusterError(
      'InternalError',
      'sa.key is no private key: restore it from a backup, or remove it to make a new one, which ends every service account token',
      { cause: error },
    );
  }
};

const read = async (files: FileStore, pem: string): Promise<TokenKeys> => {
  const privateKey = privateKeyOf(pem);
  const own = verifyingKey(createPublicKey(privateKey));
  const former = blocks((await files.read(formerFile)) ?? '').map((block) =>
    verifyingKey(createPublicKey(block)),
  );
  return { signing: { ...own, privateKey }, verifying: [own, ...former.filter(({ id }) => id !== own.id)] };
};

/** The keys in the files; a new one where there is none. Throws for a damaged one: a new one would end every token. */
export const openTokenKeys = async (files: FileStore): Promise<TokenKeys> => {
  const known = await files.read(signingFile);
  if (known !== undefined) return read(files, known);
  const made = generateKey();
  await files.write(signingFile, made.privateKey);
  return read(files, made.privateKey);
};

/** A new key signs from now on; what the present one has signed stays good. */
export const rotateTokenKey = async (files: FileStore): Promise<TokenKeys> => {
  const { verifying } = await openTokenKeys(files);
  const kept = verifying
    .slice(0, keptFormer)
    .map(({ key }) => key.export({ type: 'spki', format: 'pem' }).toString());
  // Before the key: a crash in between leaves one key twice, and takes none away.
  await files.write(formerFile, kept.join(''));
  const made = generateKey();
  await files.write(signingFile, made.privateKey);
  return read(files, made.privateKey);
};

/** RFC 7517, as `/openid/v1/jwks` shows them. */
export const keySet = async ({ verifying }: TokenKeys): Promise<{ readonly keys: readonly JWK[] }> => ({
  keys: await Promise.all(
    verifying.map(async ({ id, key, algorithm }) => ({
      ...(await exportJWK(key)),
      use: 'sig',
      kid: id,
      alg: algorithm,
    })),
  ),
});
