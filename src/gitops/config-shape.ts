// What a setting in capstan.yaml may look like: small checks that compose, each reporting the path that is wrong.
import { isObject } from '../base/json.js';
import { closest } from './closest.js';

export type Report = (field: string, message: string) => void;

/** Undefined when the value was reported. */
export type Shape<T> = (value: unknown, field: string, report: Report) => T | undefined;

const typeName = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `${typeof value} ${JSON.stringify(value)}`;
};

export const text: Shape<string> = (value, field, report) => {
  if (typeof value === 'string' && value !== '') return value;
  report(field, `${field} is to be text, and is ${value === '' ? 'empty' : typeName(value)}`);
  return undefined;
};

export const flag: Shape<boolean> = (value, field, report) => {
  if (typeof value === 'boolean') return value;
  report(field, `${field} is to be true or false, and is ${typeName(value)}`);
  return undefined;
};

/** `check` says what is wrong with a text, or undefined. */
export const textThat =
  (check: (value: string) => string | undefined): Shape<string> =>
  (value, field, report) => {
    const read = text(value, field, report);
    if (read === undefined) return undefined;
    const wrong = check(read);
    if (wrong === undefined) return read;
    report(field, `${field}: ${wrong}`);
    return undefined;
  };

export const oneOf =
  <T extends string>(...choices: readonly T[]): Shape<T> =>
  (value, field, report) => {
    // `off` without quotes is false in YAML 1.1.
    const read = value === false ? 'off' : value;
    const choice = choices.find((candidate) => candidate === read);
    if (choice === undefined)
      report(field, `${field} is to be ${choices.join(' or ')}, and is ${typeName(value)}`);
    return choice;
  };

export const list =
  <T>(item: Shape<T>): Shape<readonly T[]> =>
  (value, field, report) => {
    if (!Array.isArray(value)) {
      report(field, `${field} is to be a list, and is ${typeName(value)}`);
      return undefined;
    }
    return value.flatMap((entry: unknown, index) => {
      const read = item(entry, `${field}[${String(index)}]`, report);
      return read === undefined ? [] : [read];
    });
  };

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10s`, `1h30m` -> milliseconds. */
export const duration: Shape<number> = (value, field, report) => {
  if (typeof value === 'string' && /^(\d+(ms|s|m|h|d))+$/.test(value))
    return [...value.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
      (sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0),
      0,
    );
  report(field, `${field} is to be a duration such as 10s or 1h30m, and is ${typeName(value)}`);
  return undefined;
};

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Values<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Shape<infer T> ? T | undefined : never;
};

const join = (field: string, name: string): string => (field === '' ? name : `${field}.${name}`);

/** A map with these members and no others. A member that was reported is absent in the result. */
export const record =
  <F extends Fields>(fields: F, required: readonly (keyof F & string)[] = []): Shape<Values<F>> =>
  (value, field, report) => {
    if (!isObject(value)) {
      report(field, `${field === '' ? 'this file' : field} is to be a map, and is ${typeName(value)}`);
      return undefined;
    }
    const names = Object.keys(fields);
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (shape === undefined) {
        const meant = closest(name, names);
        const hint = meant === undefined ? `known are ${names.join(', ')}` : `did you mean ${meant}?`;
        report(join(field, name), `${join(field, name)} is not a setting; ${hint}`);
      } else if (member !== null) result[name] = shape(member, join(field, name), report);
    }
    for (const name of required)
      if (value[name] === undefined || value[name] === null) report(field, `${join(field, name)} is missing`);
    return result as Values<F>;
  };
