// Short, stable names out of content: pod template hashes, names of slots, ties in placement.
import { createHash } from 'node:crypto';

/** No vowels and nothing that reads like another character, as in Kubernetes' generated names. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The same parts give the same text of `length` (at most 16) characters, each part kept apart from the next. */
export const shortHash = (length: number, ...parts: readonly (string | number)[]): string => {
  const digest = createHash('sha256').update(parts.join('\0')).digest();
  let text = '';
  for (let index = 0; index < length; index += 1)
    text += alphabet[digest.readUInt16BE(index * 2) % alphabet.length] ?? '';
  return text;
};

/** 32 bits, quick, not for names: breaks ties the same way every time (FNV-1a). */
export const tieBreak = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};
