// Fields that a JSON text names twice: strict decoding reports them, and JSON.parse has forgotten them.
import { child, item } from './field-path.js';

const whitespace = /\s*/y;
const string = /"(?:[^"\\]|\\.)*"/sy;
const atom = /[^\s,\]}]+/y;

/** Reads a text that JSON.parse has accepted. */
class JsonReader {
  readonly #text: string;
  #position = 0;
  readonly duplicates = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  value(path: string): void {
    this.#take(whitespace);
    const next = this.#text[this.#position];
    if (next === '{') this.#object(path);
    else if (next === '[') this.#array(path);
    else this.#take(next === '"' ? string : atom);
    this.#take(whitespace);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += found.length;
    return found;
  }

  /** Past the comma; false at the closing bracket, which is passed too. */
  #more(): boolean {
    const next = this.#text[this.#position];
    this.#position += 1;
    return next === ',';
  }

  #isEmpty(close: string): boolean {
    this.#position += 1;
    this.#take(whitespace);
    if (this.#text[this.#position] !== close) return false;
    this.#position += 1;
    return true;
  }

  #object(path: string): void {
    if (this.#isEmpty('}')) return;
    const seen = new Set<string>();
    do {
      this.#take(whitespace);
      const key = JSON.parse(this.#take(string)) as string;
      const here = child(path, key);
      if (seen.has(key)) this.duplicates.add(here);
      seen.add(key);
      this.#take(whitespace);
      this.#position += 1;
      this.value(here);
    } while (this.#more());
  }

  #array(path: string): void {
    if (this.#isEmpty(']')) return;
    let index = 0;
    do {
      this.value(item(path, index));
      index += 1;
    } while (this.#more());
  }
}

const quote = '"';
const backslash = 0x5c;
const colon = 0x3a;
const space = 0x20;

/** Index of the quote that ends the string whose first quote stands at `start`. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf(quote, start + 1); ; end = text.indexOf(quote, end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) before -= 1;
    if ((end - before) % 2 === 0) return end;
  }
};

/** Members that a valid JSON text names: its strings with a colon behind them. */
const namedIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at + 1)) {
    at = endOfString(text, at);
    let next = at + 1;
    while (text.charCodeAt(next) <= space) next += 1;
    if (text.charCodeAt(next) === colon) count += 1;
  }
  return count;
};

const membersOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  let count = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const member of Object.values(value)) count += membersOf(member);
  return count;
};

/** Whether a text names more than what `value`, which JSON.parse made of it, has kept: costs a tenth of finding what. */
export const namesTwice = (text: string, value: unknown): boolean => namedIn(text) !== membersOf(value);

/** Paths such as `spec.replicas`, each once. The text must be valid JSON. */
export const duplicateFields = (text: string): readonly string[] => {
  const reader = new JsonReader(text);
  reader.value('');
  return [...reader.duplicates];
};
