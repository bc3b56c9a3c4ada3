// Regular expressions of schemas and rules: Go's syntax (RE2), in time that is linear in the text, since both come from users.
import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';

// A memo of a pure function: compiling costs far more than matching.
const compiled = new LRUCache<string, RE2JS>({ max: 1000 });

/** Throws for what Go could not compile either. */
export const regularExpression = (pattern: string): RE2JS => {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = RE2JS.compile(pattern);
  compiled.set(pattern, made);
  return made;
};

/** Whether the pattern is found anywhere in the text. */
export const finds = (pattern: string, text: string): boolean =>
  regularExpression(pattern).matcher(text).find();
