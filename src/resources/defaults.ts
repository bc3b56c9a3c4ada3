// How defaults are filled in without touching what is there and without copying what needs none.

/** `defaults` for members that are absent; the same object when none is. */
export const withDefaults = <T extends object>(
  object: T,
  defaults: { readonly [K in keyof T]?: T[K] },
): T => {
  let result: T | undefined;
  for (const key of Object.keys(defaults) as (keyof T)[])
    if (object[key] === undefined && defaults[key] !== undefined) {
      result ??= { ...object };
      result[key] = defaults[key];
    }
  return result ?? object;
};

/** Replaces members that changed; the same object when none did. Undefined members are left as they were. */
export const withChanges = <T extends object>(
  object: T,
  changes: { readonly [K in keyof T]?: T[K] | undefined },
): T => {
  let result: T | undefined;
  for (const key of Object.keys(changes) as (keyof T)[])
    if (changes[key] !== undefined && changes[key] !== object[key]) {
      result ??= { ...object };
      result[key] = changes[key];
    }
  return result ?? object;
};

/** Maps a list, giving the same list back when no entry changed. */
export const mapped = <T>(
  list: readonly T[] | undefined,
  change: (entry: T) => T,
): readonly T[] | undefined => {
  if (list === undefined) return undefined;
  let result: T[] | undefined;
  for (const [index, entry] of list.entries()) {
    const next = change(entry);
    if (next === entry) continue;
    result ??= [...list];
    result[index] = next;
  }
  return result ?? list;
};
