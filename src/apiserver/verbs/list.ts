// Many objects as of one revision, in pages that all show the same revision.
import type { Kind } from '../../resources/kind.js';
import { Compacted } from '../../store/store.js';
import type { Entry, Page, PageOptions, Revision } from '../../store/store.js';
import type { ListQuery, ListResult, Stored } from '../registry.js';
import type { VerbContext } from './context.js';
import { decodeContinue, encodeContinue } from './continue-token.js';
import { badRequest, expired, tooNew } from './rejections.js';
import { revisionOf } from './resource-version.js';
import { selectionOf } from './selection.js';
import type { Selection } from './selection.js';

/** Entries read at a time while a selector looks for a page's worth of matches. */
const scanAtOnce = 1000;

/** Kubernetes' own sentences for history that is gone (apiserver `storage/etcd3/errors.go`). */
const tooOld = 'The resourceVersion for the provided list is too old.';
const tokenTooOld =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';

interface Start {
  readonly at: Revision | undefined;
  readonly after: string | undefined;
}

const startOf = (query: ListQuery, prefix: string, current: Revision): Start => {
  const asked = revisionOf(query.resourceVersion);
  const match = query.resourceVersionMatch;
  if (query.continue !== undefined && query.continue !== '') {
    if (asked !== undefined && asked !== 0)
      throw badRequest('specifying resource version is not allowed when using continue');
    if (match !== undefined) throw badRequest('resourceVersionMatch is forbidden for continue');
    const mark = decodeContinue(query.continue);
    return { at: mark.revision, after: prefix + mark.after };
  }
  if (asked === undefined) {
    if (match !== undefined)
      throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided');
    return { at: undefined, after: undefined };
  }
  if (match === 'Exact' && asked === 0)
    throw badRequest('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
  if (asked > current) throw tooNew(asked, current);
  // A limit with a revision and no match means that revision exactly: how clients paged before continue tokens.
  const exact = match === 'Exact' || (match === undefined && query.limit !== undefined && asked > 0);
  return { at: exact ? asked : undefined, after: undefined };
};

const pageOf = (context: VerbContext, prefix: string, options: PageOptions, message: string): Page => {
  try {
    return context.store.list(prefix, options);
  } catch (error) {
    throw error instanceof Compacted ? expired(message) : error;
  }
};

interface Found {
  readonly items: readonly Stored[];
  readonly revision: Revision;
  /** Key behind which more may follow. */
  readonly next: string | undefined;
  readonly remaining: number | undefined;
}

/** `after` and `limit` reach the store itself: the cost is the page's, not the collection's. */
const readPage = (context: VerbContext, prefix: string, options: PageOptions, message: string): Found => {
  const page = pageOf(context, prefix, options, message);
  const more = page.remaining > 0;
  return {
    items: page.entries.map((entry) => context.entries.of(entry)),
    revision: page.revision,
    next: more ? page.entries.at(-1)?.key : undefined,
    remaining: more ? page.remaining : undefined,
  };
};

/** Looks through the collection in steps until a page's worth matches; how many remain is then unknown. */
const search = (
  context: VerbContext,
  selection: Selection,
  { at, after, limit }: Start & { readonly limit: number | undefined },
  message: string,
): Found => {
  const items: Stored[] = [];
  const step = limit === undefined ? {} : { limit: Math.max(limit, scanAtOnce) };
  let revision = at;
  let position = after;
  let last: Entry | undefined;
  for (;;) {
    const page: Page = pageOf(
      context,
      selection.prefix,
      {
        ...step,
        ...(revision === undefined ? {} : { at: revision }),
        ...(position === undefined ? {} : { after: position }),
      },
      message,
    );
    revision = page.revision;
    for (const entry of page.entries) {
      const stored = context.entries.of(entry);
      if (!selection.includes(entry, () => stored)) continue;
      if (items.length === limit) return { items, revision, next: last?.key, remaining: undefined };
      items.push(stored);
      last = entry;
    }
    if (page.remaining === 0) return { items, revision, next: undefined, remaining: undefined };
    position = page.entries.at(-1)?.key;
  }
};

export const list = (context: VerbContext, kind: Kind, query: ListQuery): ListResult => {
  const selection = selectionOf(kind, query);
  const { prefix } = selection;
  const start = startOf(query, prefix, context.store.revision);
  const limit = query.limit === 0 ? undefined : query.limit;
  const message = start.after === undefined ? tooOld : tokenTooOld;
  const found =
    selection.byKeyAlone && !selection.oneKey
      ? readPage(
          context,
          prefix,
          {
            ...(start.at === undefined ? {} : { at: start.at }),
            ...(start.after === undefined ? {} : { after: start.after }),
            ...(limit === undefined ? {} : { limit }),
          },
          message,
        )
      : search(context, selection, { ...start, limit }, message);
  return {
    items: found.items,
    resourceVersion: String(found.revision),
    continue:
      found.next === undefined
        ? undefined
        : encodeContinue({ revision: found.revision, after: found.next.slice(prefix.length) }),
    remainingItemCount: found.remaining,
  };
};

/** As `list`, each object in the kind's own version. */
export const listInVersion = async (
  context: VerbContext,
  kind: Kind,
  query: ListQuery,
): Promise<ListResult> => {
  const found = list(context, kind, query);
  if (kind.versions === undefined) return found;
  return { ...found, items: await context.entries.inVersion(kind, found.items) };
};
