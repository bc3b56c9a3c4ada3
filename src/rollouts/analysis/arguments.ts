// Values of arguments, and metrics with them in place of `{{args.name}}`.
import { isObject } from '../../base/json.js';
import type { AnalysisArgument, AnalysisMetric, Secret } from '../../resources/generated/types.js';
import { EvaluationError } from './values.js';

export type Values = ReadonlyMap<string, string>;

const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** Throws the sentence that says which argument has no value. */
export const valuesOf = (
  args: readonly AnalysisArgument[] | undefined,
  secretNamed: (name: string) => Secret | undefined,
): Values => {
  const values = new Map<string, string>();
  for (const { name, value, valueFrom } of args ?? []) {
    const reference = valueFrom?.secretKeyRef;
    if (value !== undefined) values.set(name, value);
    else if (reference !== undefined) {
      const encoded = secretNamed(reference.name ?? '')?.data?.[reference.key ?? ''];
      if (encoded === undefined)
        throw new EvaluationError(
          `args.${name}: there is no key ${reference.key ?? ''} in Secret ${reference.name ?? ''}`,
        );
      values.set(name, fromBase64(encoded));
    } else throw new EvaluationError(`args.${name} was not resolved`);
  }
  return values;
};

const filled = (value: unknown, values: Values): unknown => {
  if (typeof value === 'string')
    return value.replace(/\{\{\s*args\.([A-Za-z0-9_.-]+)\s*\}\}/g, (_, name: string) => {
      const known = values.get(name);
      if (known === undefined) throw new EvaluationError(`failed to resolve {{args.${name}}}`);
      return known;
    });
  if (Array.isArray(value)) return value.map((one) => filled(one, values));
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, values)]));
  return value;
};

/** Throws EvaluationError for an argument that there is not. */
export const withValues = (metric: AnalysisMetric, values: Values): AnalysisMetric =>
  filled(metric, values) as AnalysisMetric;
