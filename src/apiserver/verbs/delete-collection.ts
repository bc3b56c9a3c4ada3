// Deletes every object of a selection; those that vanish meanwhile are no error.
import { hasCode } from '../../base/errors.js';
import type { DeleteOptions } from '../../client/cluster.js';
import type { Kind } from '../../resources/kind.js';
import { nameOf } from '../../resources/resource.js';
import type { CallOptions, ListQuery, ListResult, Stored } from '../registry.js';
import type { VerbContext } from './context.js';
import { deleteObject } from './delete.js';
import { list } from './list.js';

/** Deletions under way at once: enough to share flushes, few enough to leave room for other writers. */
const width = 64;

export const deleteCollection = async (
  context: VerbContext,
  kind: Kind,
  {
    query,
    deletion,
    options,
  }: { readonly query: ListQuery; readonly deletion: DeleteOptions; readonly options: CallOptions },
): Promise<ListResult> => {
  const found = list(context, kind, query);
  const deleted: Stored[] = [];
  const deleteOne = async ({ object }: Stored): Promise<Stored | undefined> => {
    try {
      const { uid } = object.metadata;
      const preconditions = { ...deletion.preconditions, uid };
      const { stored } = await deleteObject(context, kind, {
        name: nameOf(object),
        deletion: { ...deletion, preconditions },
        options,
      });
      return stored;
    } catch (error) {
      // Deleted, or deleted and made again, since the list was read.
      if (hasCode(error, 'NotFound')) return undefined;
      if (hasCode(error, 'Conflict') && deletion.preconditions === undefined) return undefined;
      throw error;
    }
  };
  for (let start = 0; start < found.items.length; start += width) {
    const batch = await Promise.all(found.items.slice(start, start + width).map(deleteOne));
    for (const stored of batch) if (stored !== undefined) deleted.push(stored);
  }
  return { ...found, items: deleted };
};
