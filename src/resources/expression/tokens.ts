// The words of an expression, each with its place.
import { ExpressionError } from './syntax.js';

export type Token =
  | { readonly type: 'number'; readonly value: number; readonly at: number }
  | { readonly type: 'text'; readonly value: string; readonly at: number }
  | { readonly type: 'name'; readonly value: string; readonly at: number }
  | { readonly type: 'sign'; readonly value: string; readonly at: number }
  | { readonly type: 'end'; readonly value: ''; readonly at: number };

/** The longest sign first. */
const signs = [
  '&&', '||', '??', '?.', '==', '!=', '<=', '>=', '..', '**', '#index', '#acc',
  '(', ')', '[', ']', '{', '}', ',', ':', '?', '.', '<', '>', '+', '-', '*', '/', '%', '^', '!', '#', '|', ';',
]; // prettier-ignore

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

const number = /0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?/y;
const name = /[A-Za-z_$][A-Za-z0-9_$]*/y;
const space = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;

const textAt = (source: string, at: number): { readonly value: string; readonly end: number } => {
  const quote = source[at];
  let value = '';
  for (let index = at + 1; index < source.length; index += 1) {
    const character = source[index] ?? '';
    if (character === quote) return { value, end: index + 1 };
    if (character !== '\\' || quote === '`') {
      value += character;
      continue;
    }
    index += 1;
    const escaped = source[index] ?? '';
    const hex = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(source.slice(index, index + 5));
    if (hex !== null) {
      value += String.fromCharCode(parseInt(hex[1] ?? hex[2] ?? '', 16));
      index += hex[0].length - 1;
    } else value += escapes[escaped] ?? `\\${escaped}`;
  }
  throw new ExpressionError('the text does not end', at);
};

const matchAt = (pattern: RegExp, source: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
};

const tokenAt = (source: string, at: number): { readonly token: Token; readonly end: number } => {
  const character = source[at] ?? '';
  if (/["'`]/.test(character)) {
    const { value, end } = textAt(source, at);
    return { token: { type: 'text', value, at }, end };
  }
  if (/\d/.test(character) || (character === '.' && /\d/.test(source[at + 1] ?? ''))) {
    // `1..3` is a range, not the number `1.`.
    const range = /^(\d[\d_]*)\.\./.exec(source.slice(at));
    const found = range?.[1] ?? matchAt(number, source, at) ?? '';
    return {
      token: { type: 'number', value: Number(found.replaceAll('_', '')), at },
      end: at + found.length,
    };
  }
  const word = matchAt(name, source, at);
  if (word !== undefined) return { token: { type: 'name', value: word, at }, end: at + word.length };
  const sign = signs.find((one) => source.startsWith(one, at));
  if (sign === undefined) throw new ExpressionError(`${JSON.stringify(character)} is not expected`, at);
  return { token: { type: 'sign', value: sign, at }, end: at + sign.length };
};

/** Throws ExpressionError. */
export const tokensOf = (source: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = matchAt(space, source, 0)?.length ?? 0;
  while (at < source.length) {
    const { token, end } = tokenAt(source, at);
    tokens.push(token);
    at = end + (matchAt(space, source, end)?.length ?? 0);
  }
  return [...tokens, { type: 'end', value: '', at: source.length }];
};
