// Completed and failed indexes of a Job as its status writes them: `0,3-5,7`.

/** Ignores what is not an index, and what is not below `count`. */
export const parseIndexes = (text: string | undefined, count: number): ReadonlySet<number> => {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to ?? from), count - 1);
    for (let index = Number(from); index <= last; index += 1) indexes.add(index);
  }
  return indexes;
};

/** Two in a row are a list, three or more a range, as Kubernetes writes them. */
export const formatIndexes = (indexes: ReadonlySet<number>): string => {
  const sorted = [...indexes].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const index of sorted) {
    const run = runs.at(-1);
    if (run?.[1] === index - 1) run[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([from, to]) =>
      from === to
        ? String(from)
        : to === from + 1
          ? `${String(from)},${String(to)}`
          : `${String(from)}-${String(to)}`,
    )
    .join(',');
};
