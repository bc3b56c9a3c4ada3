// Where the next page of a list begins, and at which revision: opaque to clients.
import { isObject } from '../../base/json.js';
import type { Revision } from '../../store/store.js';
import { badRequest } from './rejections.js';

export interface PageMark {
  /** Every page of one list shows this revision. */
  readonly revision: Revision;
  /** Last key of the page before, without the prefix of the list. */
  readonly after: string;
}

export const encodeContinue = ({ revision, after }: PageMark): string =>
  Buffer.from(JSON.stringify({ v: 1, rv: revision, after })).toString('base64url');

/** Throws BadRequest for what this server did not write. */
export const decodeContinue = (token: string): PageMark => {
  const refuse = (): Error =>
    badRequest('continue key is not valid: start a new list without the continue parameter');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw refuse();
  }
  if (!isObject(parsed)) throw refuse();
  const { v, rv, after } = parsed;
  if (v !== 1 || typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < 1 || typeof after !== 'string')
    throw refuse();
  return { revision: rv, after };
};
