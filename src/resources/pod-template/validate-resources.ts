// Rules about requests and limits.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { ResourceRequirements } from '../generated/types.js';
import type { Quantity } from '../quantity.js';
import { compareQuantities, formatQuantity, parseQuantity } from '../quantity.js';
import { allInvalid, invalid, required } from '../validation/field-errors.js';
import { qualifiedNameErrors } from '../validation/names.js';

const standard: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const isHugePages = (name: string): boolean => name.startsWith('hugepages-');

/** `example.com/gpu`: counted in pieces and never overcommitted. */
const isExtended = (name: string): boolean =>
  name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.');

const nameErrors = (field: string, name: string): readonly FieldError[] => {
  const syntax = qualifiedNameErrors(name);
  if (syntax.length > 0) return allInvalid(field, name, syntax);
  return name.includes('/') || standard.has(name) || isHugePages(name)
    ? []
    : [invalid(field, name, 'must be a standard resource for containers')];
};

const amountErrors = (field: string, name: string, amount: Quantity): readonly FieldError[] => {
  const text = formatQuantity(amount);
  if (amount.nanos < 0n) return [invalid(field, text, 'must be greater than or equal to 0')];
  return isExtended(name) && amount.nanos % 1_000_000_000n !== 0n
    ? [invalid(field, text, 'must be an integer')]
    : [];
};

const pairErrors = (
  field: string,
  name: string,
  { request, limit }: { readonly request: Quantity; readonly limit: Quantity | undefined },
): readonly FieldError[] => {
  const at = child(field, 'requests');
  const written = formatQuantity(request);
  if (limit === undefined)
    return isExtended(name) || isHugePages(name)
      ? [required(child(field, 'limits'), 'Limit must be set for non overcommitable resources')]
      : [];
  const order = compareQuantities(request, limit);
  if (order !== 0 && (isExtended(name) || isHugePages(name)))
    return [invalid(at, written, `must be equal to ${name} limit of ${formatQuantity(limit)}`)];
  return order > 0
    ? [invalid(at, written, `must be less than or equal to ${name} limit of ${formatQuantity(limit)}`)]
    : [];
};

/** Quantities that are none have been refused by the schema. */
export const resourceErrors = (
  field: string,
  resources: ResourceRequirements | undefined,
): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const limits = new Map<string, Quantity>();
  for (const part of ['limits', 'requests'] as const)
    for (const [name, text] of Object.entries(resources?.[part] ?? {})) {
      const at = item(child(field, part), name);
      const amount = parseQuantity(text);
      if (amount === undefined) continue;
      errors.push(...nameErrors(at, name), ...amountErrors(at, name, amount));
      if (part === 'limits') limits.set(name, amount);
      else errors.push(...pairErrors(field, name, { request: amount, limit: limits.get(name) }));
    }
  return errors;
};
