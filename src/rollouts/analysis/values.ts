// Values in expressions, and what each may be used as.

export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

export const shown = (value: unknown): string => {
  const text = value === undefined ? 'nil' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

export const isText = (value: unknown): value is string => typeof value === 'string';

export const numberOf = (value: unknown): number => {
  if (typeof value === 'number') return value;
  throw new EvaluationError(`${shown(value)} is no number`);
};

export const truthOf = (value: unknown): boolean => {
  if (typeof value === 'boolean') return value;
  throw new EvaluationError(`${shown(value)} is neither true nor false`);
};

export const listOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new EvaluationError(`${shown(value)} is no list`);
};

export const textOf = (value: unknown): string => {
  if (isText(value)) return value;
  throw new EvaluationError(`${shown(value)} is no text`);
};
