// The order of a merged list when the patch says how its own elements are to stand (`$setElementOrder`).
import { equal } from '../../base/json.js';

export interface OrderOptions {
  /** Keys in the order that the patch asks for. */
  readonly order: readonly unknown[];
  /** Keys in the order that the list had. */
  readonly before: readonly unknown[];
  keyOf(item: unknown): unknown;
}

const indexIn = (keys: readonly unknown[], key: unknown): number =>
  keys.findIndex((other) => equal(other, key));

/**
 * Elements that the patch names stand in its order; those that only the server has keep their place relative to the
 * named ones that stood behind them before.
 */
export const elementOrder = (
  items: readonly unknown[],
  { order, before, keyOf }: OrderOptions,
): readonly unknown[] => {
  const place = (item: unknown): number => indexIn(order, keyOf(item));
  const named = items.filter((item) => place(item) >= 0).sort((a, b) => place(a) - place(b));
  const others = items.filter((item) => place(item) < 0);
  const result: unknown[] = [];
  for (const item of named) {
    const was = indexIn(before, keyOf(item));
    while (others.length > 0 && was >= 0 && indexIn(before, keyOf(others[0])) < was)
      result.push(others.shift());
    result.push(item);
  }
  return [...result, ...others];
};
