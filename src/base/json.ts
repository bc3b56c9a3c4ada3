// JSON values and the comparisons that everyone needs.
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasMembersOf = (a: Record<string, unknown>, b: Record<string, unknown>): boolean => {
  for (const key of Object.keys(a)) {
    // Only own members count: `constructor` is a fine key of a ConfigMap.
    const other = Object.hasOwn(b, key) ? b[key] : undefined;
    if (!equal(a[key], other)) return false;
  }
  return true;
};

/** Structural equality of JSON values; a member that is undefined counts as absent. */
export const equal = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  if (!hasMembersOf(a, b)) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && !Object.hasOwn(a, key)) return false;
  return true;
};

/** Freezes deeply, so that an object can be shared by everyone who reads it. */
export const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
};

/** Serialises with sorted keys, so that equal values give equal text: the input of content hashes. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return value === undefined ? 'null' : JSON.stringify(value);
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
};
