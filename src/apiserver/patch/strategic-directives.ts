// The directives of strategic merge patches, and what is left of a patch without them.
import { isObject } from '../../base/json.js';
import { setMember } from './list-items.js';

export const setOrder = '$setElementOrder/';
export const deleteItems = '$deleteFromPrimitiveList/';
export const retainKeys = '$retainKeys';
export const directiveOf = '$patch';

export const isDirective = (name: string): boolean =>
  name === directiveOf || name === retainKeys || name.startsWith(setOrder) || name.startsWith(deleteItems);

export const asksDeletion = (value: unknown): boolean => isObject(value) && value[directiveOf] === 'delete';

/** What a patch adds where nothing was: its values without directives and without what it deletes. */
export const added = (value: unknown): unknown => {
  if (Array.isArray(value))
    return value
      .filter((item) => !isObject(item) || item[directiveOf] === undefined || item[directiveOf] === 'merge')
      .map(added);
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value))
    if (!isDirective(name) && member !== null && !asksDeletion(member))
      setMember(result, name, added(member));
  return result;
};
