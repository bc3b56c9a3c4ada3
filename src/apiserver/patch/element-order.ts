// The order of a list that a strategic merge patch has merged.
// Rules: apimachinery's `strategicpatch`, normalizeElementOrder.

export interface OrderOptions {
  /** Keys in the order that the patch asks for. */
  readonly order: readonly string[];
  /** Keys in the order that the list had. */
  readonly before: readonly string[];
  keyOf(item: unknown): string;
}

const positionsOf = (keys: readonly string[]): ReadonlyMap<string, number> => {
  const positions = new Map<string, number>();
  for (const [index, key] of keys.entries()) if (!positions.has(key)) positions.set(key, index);
  return positions;
};

/**
 * Elements that the patch names stand in its order. The others keep theirs, and stand before the first named element
 * that they stood before already; so a new element, which stood nowhere, comes before them all.
 */
export const elementOrder = (
  items: readonly unknown[],
  { order, before, keyOf }: OrderOptions,
): readonly unknown[] => {
  const asked = positionsOf(order);
  const stood = positionsOf(before);
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  const place = (key: string): number => asked.get(key) ?? -1;
  const named = keyed.filter(({ key }) => asked.has(key)).sort((a, b) => place(a.key) - place(b.key));
  const others = keyed.filter(({ key }) => !asked.has(key));
  const result: unknown[] = [];
  let next = 0;
  for (const { item, key } of named) {
    const was = stood.get(key);
    for (; was !== undefined && next < others.length; next += 1) {
      const other = others[next];
      const otherWas = other === undefined ? undefined : stood.get(other.key);
      if (other === undefined || otherWas === undefined || otherWas > was) break;
      result.push(other.item);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next).map(({ item }) => item)];
};
