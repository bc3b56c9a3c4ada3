// Names that the server makes up.
import type { Ids } from './context.js';

/** Without vowels and look-alikes, so that no suffix spells a word; Kubernetes' own choice. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
/** Kubernetes' bound: a generated name leaves room for its suffix. */
const longestBase = 63 - suffixLength;

/** `base` and five characters. */
export const generatedName = (base: string, ids: Pick<Ids, 'random'>): string => {
  const suffix = Array.from(
    { length: suffixLength },
    () => alphabet[Math.floor(ids.random() * alphabet.length)],
  );
  return `${base.slice(0, longestBase)}${suffix.join('')}`;
};
