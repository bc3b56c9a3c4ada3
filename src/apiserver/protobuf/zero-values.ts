// Go writes every field that is no pointer, so a zero on the wire may mean "not set". The tables do not say which fields
// are pointers; these lists do. A zero of a field that is not listed is kept: `replicas: 0` must never become 1.

/** Texts for which "" says something else than nothing. */
const meaningfulEmptyText: ReadonlySet<string> = new Set(['storageClassName', 'volumeAttributesClassName']);

/** Numbers that are no pointers in Go and mean "not set" when 0. */
const zeroIsUnset: ReadonlySet<string> = new Set([
  'minReadySeconds',
  'hostPort',
  'containerPort',
  'nodePort',
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
  'generation',
  'observedGeneration',
  'healthCheckNodePort',
]);

/** Booleans that are no pointers in Go. */
const falseIsUnset: ReadonlySet<string> = new Set([
  'stdin',
  'stdinOnce',
  'tty',
  'paused',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'readOnly',
  'publishNotReadyAddresses',
  'unschedulable',
  'globalDefault',
]);

export const isUnset = (name: string, value: unknown): boolean => {
  if (value === '') return !meaningfulEmptyText.has(name);
  if (value === 0) return zeroIsUnset.has(name);
  return value === false && falseIsUnset.has(name);
};
