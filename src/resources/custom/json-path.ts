// The part of JSONPath that CustomResourceDefinitions use in columns, scales and selectable fields: `.spec.a`,
// `.metadata.annotations.example\.com/x`, `.status.conditions[?(@.type=="Ready")].status`, `.spec.list[0].name`, `[*]`.
import { isObject } from '../../base/json.js';

type Step =
  | { readonly type: 'member'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | {
      readonly type: 'filter';
      readonly path: readonly Step[];
      readonly operator: '==' | '!=' | 'has';
      readonly value: unknown;
    };

export type JsonPath = readonly Step[];

const member = (name: string): Step => ({ type: 'member', name });

const literal = (text: string): unknown => {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted !== null) return (quoted[2] ?? '').replace(/\\(.)/g, '$1');
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
};

const bracket = (content: string): Step | undefined => {
  const text = content.trim();
  if (text === '*') return { type: 'all' };
  if (/^-?\d+$/.test(text)) return { type: 'index', index: Number(text) };
  const filter = /^\?\(\s*@([^=!<>\s)]*)\s*(?:(==|!=)\s*(.*?))?\s*\)$/s.exec(text);
  if (filter !== null) {
    const path = parseJsonPath(filter[1] ?? '');
    if (path === undefined) return undefined;
    const operator = filter[2] as '==' | '!=' | undefined;
    return { type: 'filter', path, operator: operator ?? 'has', value: literal(filter[3] ?? '') };
  }
  const name = literal(text);
  return typeof name === 'string' && /^["']/.test(text) ? member(name) : undefined;
};

/** Where the bracket that opens at `start` closes; quotes hide brackets. */
const closing = (text: string, start: number): number => {
  let quote = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ']') return at;
  }
  return -1;
};

/** Undefined for what is not understood; leading `$`, `{` and `}` may be there. */
export const parseJsonPath = (written: string): JsonPath | undefined => {
  const text = written
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$/, '');
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '[') {
      const end = closing(text, at);
      const step = end === -1 ? undefined : bracket(text.slice(at + 1, end));
      if (step === undefined) return undefined;
      steps.push(step);
      at = end + 1;
      continue;
    }
    if (text[at] !== '.') return undefined;
    const name = /^(?:\\.|[^.[\\])*/s.exec(text.slice(at + 1))?.[0] ?? '';
    if (name === '') {
      if (steps.length === 0 && at + 1 === text.length) return steps;
      return undefined;
    }
    steps.push(name === '*' ? { type: 'all' } : member(name.replace(/\\(.)/gs, '$1')));
    at += 1 + name.length;
  }
  return steps;
};

const stepFrom = (step: Step, value: unknown): readonly unknown[] => {
  switch (step.type) {
    case 'member':
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index':
      return Array.isArray(value)
        ? [value.at(step.index) as unknown].filter((found) => found !== undefined)
        : [];
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'filter': {
      if (!Array.isArray(value)) return [];
      return value.filter((entry: unknown) => {
        const [found] = findAll(step.path, entry);
        if (step.operator === 'has') return found !== undefined;
        return (found === step.value) === (step.operator === '==');
      });
    }
  }
};

/** Everything that the path names, in order. */
export const findAll = (path: JsonPath, value: unknown): readonly unknown[] =>
  path.reduce<readonly unknown[]>((found, step) => found.flatMap((one) => stepFrom(step, one)), [value]);

/** Names from the root; undefined for a path with anything but names in it. */
export const memberNames = (path: JsonPath): readonly string[] | undefined => {
  const names = path.flatMap((step) => (step.type === 'member' ? [step.name] : []));
  return names.length === path.length ? names : undefined;
};
