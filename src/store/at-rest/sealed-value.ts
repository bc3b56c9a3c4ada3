// A value as it lies on the disk: AES-256-GCM, with the id of its key in front and the store's key authenticated with it,
// so that a value cannot be moved to another object.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** One key of the ring. Never leaves the process but into the ring's own file. */
export interface EncryptionKey {
  /** Letters, digits and dashes. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';

/** What objects are stored as begins with a brace, so nothing else can begin like this. */
const mark = Buffer.from('capstan:aesgcm:v1:');
const colon = 0x3a;

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const isSealed = (value: Uint8Array): boolean =>
  value.byteLength > mark.length && bufferOf(value.subarray(0, mark.length)).equals(mark);

/** Of a sealed value; '' for one that is not sealed. */
export const keyIdOf = (value: Uint8Array): string => {
  if (!isSealed(value)) return '';
  const bytes = bufferOf(value);
  const end = bytes.indexOf(colon, mark.length);
  return end < 0 ? '' : bytes.toString('latin1', mark.length, end);
};

export const seal = (key: EncryptionKey, storeKey: string, value: Uint8Array): Uint8Array => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key.secret, nonce);
  cipher.setAAD(Buffer.from(storeKey));
  const head = Buffer.concat([mark, Buffer.from(`${key.id}:`), nonce]);
  const body = [cipher.update(value), cipher.final()];
  return Buffer.concat([head, ...body, cipher.getAuthTag()]);
};

/** Throws when the key, the place or the value is not the one that was sealed. */
export const unseal = (key: EncryptionKey, storeKey: string, value: Uint8Array): Uint8Array => {
  const bytes = bufferOf(value);
  const start = mark.length + key.id.length + 1;
  const end = bytes.length - tagBytes;
  const nonce = bytes.subarray(start, start + nonceBytes);
  const decipher = createDecipheriv(algorithm, key.secret, nonce);
  decipher.setAAD(Buffer.from(storeKey));
  decipher.setAuthTag(bytes.subarray(end));
  return new Uint8Array(
    Buffer.concat([decipher.update(bytes.subarray(start + nonceBytes, end)), decipher.final()]),
  );
};
