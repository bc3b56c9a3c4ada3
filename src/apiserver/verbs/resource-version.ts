// A client's resourceVersion: decimal text that stands for a revision of the store.
import type { Revision } from '../../store/store.js';
import { badRequest } from './rejections.js';

/** Undefined for an absent or empty one; throws BadRequest for what is not a revision. */
export const revisionOf = (resourceVersion: string | undefined): Revision | undefined => {
  if (resourceVersion === undefined || resourceVersion === '') return undefined;
  const revision = Number(resourceVersion);
  if (!/^\d+$/.test(resourceVersion) || !Number.isSafeInteger(revision))
    throw badRequest(`invalid resource version ${JSON.stringify(resourceVersion)}: it is a whole number`);
  return revision;
};
