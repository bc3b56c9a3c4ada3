// `pod/web-1`, `deploy web`, `nodes n1`: what people type -> kind and name.
import type { Kind } from '../resources/kind.js';
import { kinds } from '../resources/kinds.js';
import type { ObjectName } from '../resources/resource.js';
import { UsageError } from './command.js';

const namesOf = (kind: Kind): readonly string[] => [
  kind.singular,
  kind.plural,
  kind.kind.toLowerCase(),
  `${kind.plural}.${kind.group}`,
  ...kind.shortNames,
];

export const findKind = (text: string): Kind => {
  const kind = kinds.find((candidate) => namesOf(candidate).includes(text.toLowerCase()));
  if (kind === undefined)
    throw new UsageError(
      `there is no kind ${text}; known are ${kinds.map(({ singular }) => singular).join(', ')}`,
    );
  return kind;
};

/** Throws UsageError for anything that names no object. */
export const parseObject = (args: readonly string[], namespace: string): { kind: Kind; name: ObjectName } => {
  const [type = '', name = ''] = args.length === 1 ? (args[0] ?? '').split('/') : args;
  if (type === '' || name === '')
    throw new UsageError('name one object, such as pod/web-1 or deployment/web');
  const kind = findKind(type);
  return { kind, name: kind.namespaced ? { name, namespace } : { name } };
};
