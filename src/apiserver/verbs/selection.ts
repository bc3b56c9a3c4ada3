// Which objects a list or a watch is about: a prefix of keys, and a test for what the keys do not say.
import { checkFieldSelector, matchesFields, parseFieldSelector } from '../../resources/field-selector.js';
import type { FieldRequirement, FieldRequirements } from '../../resources/field-selector.js';
import type { Kind } from '../../resources/kind.js';
import { kindPrefix, storeKey } from '../../resources/kind.js';
import { matches, parseLabelSelector } from '../../resources/label-selector.js';
import type { Entry } from '../../store/store.js';
import type { ListQuery, Stored } from '../registry.js';

export interface Selection {
  /** All keys of the selection start with it; a full key when the selection names one object. */
  readonly prefix: string;
  /** The prefix is the key of the one object that can match. */
  readonly oneKey: boolean;
  /** True when the keys say everything: then no object has to be decoded. */
  readonly byKeyAlone: boolean;
  /** `stored` shows the entry; it is decoded only when the keys do not decide. */
  includes(entry: Entry, stored: () => Stored): boolean;
}

const valueOf = (requirements: FieldRequirements, field: string): string | undefined =>
  requirements.find((requirement) => requirement.field === field && !requirement.negated)?.value;

interface Scope {
  readonly prefix: string;
  /** The prefix is a full key. */
  readonly oneKey: boolean;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

const filled = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const scopeOf = (kind: Kind, query: Pick<ListQuery, 'namespace'>, fields: FieldRequirements): Scope => {
  const namespace = kind.namespaced
    ? (filled(query.namespace) ?? filled(valueOf(fields, 'metadata.namespace')))
    : undefined;
  const name = filled(valueOf(fields, 'metadata.name'));
  const all = kindPrefix(kind);
  if (kind.namespaced && namespace === undefined)
    return { prefix: all, oneKey: false, namespace, name: undefined };
  if (name !== undefined) return { prefix: storeKey(kind, name, namespace), oneKey: true, namespace, name };
  const prefix = namespace === undefined ? all : `${all}${namespace}/`;
  return { prefix, oneKey: false, namespace, name };
};

/** What the prefix says already needs no look at the object. */
const isImplied = ({ field, negated, value }: FieldRequirement, { namespace, name }: Scope): boolean =>
  !negated &&
  ((field === 'metadata.name' && value === name) || (field === 'metadata.namespace' && value === namespace));

/** Throws BadRequest for a selector that cannot be read or names a field that the kind does not select by. */
export const selectionOf = (
  kind: Kind,
  query: Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'>,
): Selection => {
  const labels = parseLabelSelector(query.labelSelector ?? '');
  const fields = parseFieldSelector(query.fieldSelector ?? '');
  checkFieldSelector(kind, fields);
  const scope = scopeOf(kind, query, fields);
  const { prefix, oneKey } = scope;
  const rest = fields.filter((requirement) => !isImplied(requirement, scope));
  if (labels.length === 0 && rest.length === 0)
    return { prefix, oneKey, byKeyAlone: true, includes: ({ key }) => !oneKey || key === prefix };
  return {
    prefix,
    oneKey,
    byKeyAlone: false,
    includes: ({ key }, stored) => {
      if (oneKey && key !== prefix) return false;
      const { object } = stored();
      return matches(labels, object.metadata.labels) && matchesFields(kind, rest, object);
    },
  };
};
