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

/** Paths such as `spec.replicas`, each once. The text must be valid JSON. */
export const duplicateFields = (text: string): readonly string[] => {
  const reader = new JsonReader(text);
  reader.value('');
  return [...reader.duplicates];
};
