// Label selectors: as objects keep them (matchLabels, matchExpressions) and as queries write them (`a=b,c in (x,y),!d`).
import { ClusterError } from '../base/errors.js';
import { labelValueErrors, qualifiedNameErrors } from './validation/names.js';

export type Labels = { readonly [key: string]: string };

/** `metav1.LabelSelector`. */
export interface LabelSelector {
  readonly matchLabels?: Labels | undefined;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}

export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

/** All requirements must hold; without any, everything matches. */
export type Requirements = readonly Requirement[];

const integer = /^[+-]?\d+$/;

const holds = ({ key, operator, values }: Requirement, labels: Labels): boolean => {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !integer.test(value)) return false;
      const bound = Number(values[0]);
      return operator === 'Gt' ? Number(value) > bound : Number(value) < bound;
    }
  }
};

export const matches = (requirements: Requirements, labels: Labels | undefined): boolean =>
  requirements.every((requirement) => holds(requirement, labels ?? {}));

const operators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']);

const isOperator = (operator: string): operator is Requirement['operator'] => operators.has(operator);

/** Throws BadRequest for an unknown operator; everything else has been validated with the object. */
export const requirementsOf = (selector: LabelSelector): Requirements => [
  ...Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({
    key,
    operator: 'In',
    values: [value],
  })),
  ...(selector.matchExpressions ?? []).map(({ key, operator, values }): Requirement => {
    if (!isOperator(operator))
      throw new ClusterError(
        'BadRequest',
        `${JSON.stringify(operator)} is not a valid label selector operator`,
      );
    return { key, operator, values: values ?? [] };
  }),
];

/** An absent selector matches nothing, an empty one everything, as in Kubernetes. */
export const selects = (selector: LabelSelector | undefined, labels: Labels | undefined): boolean =>
  selector !== undefined && matches(requirementsOf(selector), labels);

/** Plain maps, as Services and node selectors have them: absent or empty matches nothing. */
export const selectsByMap = (selector: Labels | undefined, labels: Labels | undefined): boolean => {
  const entries = Object.entries(selector ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value);
};

const bad = (text: string, why: string): ClusterError =>
  new ClusterError('BadRequest', `unable to parse label selector ${JSON.stringify(text)}: ${why}`);

const token = /\s*(?:(==|!=|=|>|<|!|,|\(|\))|([^\s=!<>,()]+))\s*/y;

const tokens = (text: string): readonly string[] => {
  const found: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) throw bad(text, 'unexpected end');
    found.push(match[1] ?? match[2] ?? '');
  }
  return found;
};

const symbols: ReadonlySet<string> = new Set(['==', '!=', '=', '>', '<', '!', ',', '(', ')']);

/** One pass over the tokens of a selector string. */
class SelectorReader {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokens(text);
  }

  read(): Requirements {
    const requirements: Requirement[] = [];
    while (this.#position < this.#tokens.length) {
      requirements.push(this.#requirement());
      if (this.#position === this.#tokens.length) break;
      this.#expect(',');
      if (this.#position === this.#tokens.length)
        throw bad(this.#text, "found '', expected: identifier after ','");
    }
    return requirements;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#position];
  }

  #expect(symbol: string): void {
    const found = this.#peek();
    if (found !== symbol) throw bad(this.#text, `found '${found ?? ''}', expected: '${symbol}'`);
    this.#position += 1;
  }

  #requirement(): Requirement {
    if (this.#peek() === '!') {
      this.#position += 1;
      return { key: this.#key(), operator: 'DoesNotExist', values: [] };
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ',') return { key, operator: 'Exists', values: [] };
    this.#position += 1;
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: 'In', values: [this.#value()] };
      case '!=':
        return { key, operator: 'NotIn', values: [this.#value()] };
      case '>':
      case '<':
        return { key, operator: operator === '>' ? 'Gt' : 'Lt', values: [this.#integer()] };
      case 'in':
        return { key, operator: 'In', values: this.#values() };
      case 'notin':
        return { key, operator: 'NotIn', values: this.#values() };
      default:
        throw bad(this.#text, `found '${operator}', expected: in, notin, =, ==, !=, >, <`);
    }
  }

  #key(): string {
    const key = this.#peek();
    if (key === undefined || symbols.has(key))
      throw bad(this.#text, `found '${key ?? ''}', expected: identifier`);
    const [error] = qualifiedNameErrors(key);
    if (error !== undefined) throw bad(this.#text, `key ${JSON.stringify(key)}: ${error}`);
    this.#position += 1;
    return key;
  }

  /** A value may be empty: `a=` and `a in (x,)`. */
  #value(): string {
    const value = this.#peek();
    if (value === undefined || value === ',' || value === ')') return '';
    if (symbols.has(value)) throw bad(this.#text, `found '${value}', expected: identifier`);
    const [error] = labelValueErrors(value);
    if (error !== undefined) throw bad(this.#text, `value ${JSON.stringify(value)}: ${error}`);
    this.#position += 1;
    return value;
  }

  #integer(): string {
    const value = this.#value();
    if (!integer.test(value))
      throw bad(this.#text, `for '>' and '<' the value must be an integer, not '${value}'`);
    return value;
  }

  #values(): readonly string[] {
    this.#expect('(');
    const values = [this.#value()];
    while (this.#peek() === ',') {
      this.#position += 1;
      values.push(this.#value());
    }
    this.#expect(')');
    return values;
  }
}

/** Reads `a=b,c in (x,y),!d`; throws BadRequest. '' gives no requirements. */
export const parseLabelSelector = (text: string): Requirements => new SelectorReader(text).read();

const writtenRequirement = ({ key, operator, values }: Requirement): string => {
  const sorted = [...values].sort();
  switch (operator) {
    case 'In':
      return sorted.length === 1 ? `${key}=${sorted[0] ?? ''}` : `${key} in (${sorted.join(',')})`;
    case 'NotIn':
      return `${key} notin (${sorted.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${values[0] ?? ''}`;
    case 'Lt':
      return `${key}<${values[0] ?? ''}`;
  }
};

/** The text of a selector, ordered by key: for `status.selector` of Scale, for columns and messages. */
export const formatLabelSelector = (selector: LabelSelector | undefined): string => {
  if (selector === undefined) return '<none>';
  const text = formatRequirements(requirementsOf(selector));
  return text === '' ? '<none>' : text;
};

export const formatRequirements = (requirements: Requirements): string =>
  [...requirements]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(writtenRequirement)
    .join(',');
