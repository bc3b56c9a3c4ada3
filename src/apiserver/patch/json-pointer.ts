// RFC 6901 JSON Pointer, and a document that changes at pointers without changing the one that it began as.
import { memberOf, setMember } from './list-items.js';

/** The pointer leads nowhere. */
export class Unresolvable extends Error {
  constructor(pointer: string) {
    super(`doc is missing path: ${pointer}: missing value`);
    this.name = 'Unresolvable';
  }
}

export interface Pointer {
  readonly text: string;
  readonly steps: readonly string[];
}

const escaped = /~[01]/g;

/** Undefined for what is no pointer. */
export const parsePointer = (text: string): Pointer | undefined => {
  if ((text !== '' && !text.startsWith('/')) || /~(?![01])/.test(text)) return undefined;
  const steps = text.split('/').slice(1);
  return { text, steps: steps.map((step) => step.replace(escaped, (mark) => (mark === '~1' ? '/' : '~'))) };
};

const indexPattern = /^(?:0|[1-9]\d{0,9})$/;

/** Position in a list; undefined for what is none, or lies beyond `length`. */
const indexOf = (step: string, length: number): number | undefined => {
  if (!indexPattern.test(step)) return undefined;
  const index = Number(step);
  return index < length ? index : undefined;
};

const childOf = (value: unknown, step: string): unknown => {
  if (Array.isArray(value)) {
    const index = indexOf(step, value.length);
    return index === undefined ? undefined : (value[index] as unknown);
  }
  return typeof value === 'object' && value !== null ? memberOf(value, step) : undefined;
};

/** Copies each container before it first changes it; what does not change is shared with the first document. */
export class PatchedDocument {
  #root: unknown;
  readonly #copies = new WeakSet();

  constructor(root: unknown) {
    this.#root = root;
  }

  get root(): unknown {
    return this.#root;
  }

  get({ text, steps }: Pointer): unknown {
    let value = this.#root;
    for (const step of steps) {
      value = childOf(value, step);
      if (value === undefined) throw new Unresolvable(text);
    }
    return value;
  }

  /** A new member or element, or a member that takes the place of another. */
  add(pointer: Pointer, value: unknown): void {
    const { parent, last } = this.#parentOf(pointer);
    if (last === undefined) this.#root = value;
    else if (Array.isArray(parent)) {
      const index = last === '-' ? parent.length : indexOf(last, parent.length + 1);
      if (index === undefined) throw new Unresolvable(pointer.text);
      parent.splice(index, 0, value);
    } else setMember(parent, last, value);
  }

  replace(pointer: Pointer, value: unknown): void {
    this.get(pointer);
    const { parent, last } = this.#parentOf(pointer);
    if (last === undefined) this.#root = value;
    else if (Array.isArray(parent)) parent[Number(last)] = value;
    else setMember(parent, last, value);
  }

  /** The value that was there. */
  remove(pointer: Pointer): unknown {
    const value = this.get(pointer);
    const { parent, last } = this.#parentOf(pointer);
    if (last === undefined) this.#root = null;
    else if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else Reflect.deleteProperty(parent, last);
    return value;
  }

  /** The container that the pointer's last step lies in, ready to be changed. */
  #parentOf({ text, steps }: Pointer): { readonly parent: object; readonly last: string | undefined } {
    const last = steps.at(-1);
    if (last === undefined) return { parent: {}, last };
    let parent = this.#own(this.#root, text);
    this.#root = parent;
    for (const step of steps.slice(0, -1)) {
      const child = this.#own(childOf(parent, step), text);
      if (Array.isArray(parent)) parent[Number(step)] = child;
      else setMember(parent, step, child);
      parent = child;
    }
    return { parent, last };
  }

  #own(value: unknown, pointer: string): object {
    if (typeof value !== 'object' || value === null) throw new Unresolvable(pointer);
    if (this.#copies.has(value)) return value;
    const copy: object = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
    this.#copies.add(copy);
    return copy;
  }
}
