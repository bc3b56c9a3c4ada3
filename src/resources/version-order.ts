// In which order clients prefer the versions of a group (apimachinery `version.CompareKubeAwareVersionStrings`).

/** GA before beta before alpha, newer first: the order in which clients prefer versions. */
export const compareVersions = (a: string, b: string): number => {
  const parse = (version: string): readonly [number, number, number] | undefined => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return undefined;
    const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [first, second] = [parse(a), parse(b)];
  if (first === undefined || second === undefined)
    return first === second ? (a < b ? -1 : 1) : first === undefined ? 1 : -1;
  return second[0] - first[0] || second[1] - first[1] || second[2] - first[2];
};
