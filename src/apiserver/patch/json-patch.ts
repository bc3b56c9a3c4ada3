// RFC 6902 JSON Patch.
import { ClusterError } from '../../base/errors.js';
import { equal, isObject } from '../../base/json.js';
import { parsePointer, PatchedDocument, Unresolvable, type Pointer } from './json-pointer.js';
import { memberOf } from './list-items.js';

/** As Kubernetes' `maxJSONPatchOperations`: a patch is work that grows with its length. */
const maxOperations = 10_000;

/**
 * Copies may make an object larger by this many characters in all, as in Kubernetes: each copy can double what the one
 * before it made.
 */
const maxCopied = 3 * 1024 * 1024;

type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: Pointer; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: Pointer }
  | { readonly op: 'move' | 'copy'; readonly path: Pointer; readonly from: Pointer };

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

const invalid = (message: string, cause?: unknown): ClusterError =>
  new ClusterError('Invalid', `the server rejected our request due to an error in our request: ${message}`, {
    cause,
  });

const pointerIn = (operation: object, name: 'path' | 'from'): Pointer => {
  const text = memberOf(operation, name);
  const pointer = typeof text === 'string' ? parsePointer(text) : undefined;
  if (pointer === undefined)
    throw bad(`the ${name} of a JSON patch operation must be a JSON pointer: ${JSON.stringify(operation)}`);
  return pointer;
};

/** Throws BadRequest. */
const parse = (operation: unknown): Operation => {
  if (!isObject(operation))
    throw bad(`a JSON patch is a list of operations, not of ${JSON.stringify(operation)}`);
  const op = memberOf(operation, 'op');
  const path = pointerIn(operation, 'path');
  switch (op) {
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      return { op, path, from: pointerIn(operation, 'from') };
    case 'add':
    case 'replace':
    case 'test': {
      const value = memberOf(operation, 'value');
      if (value === undefined)
        throw bad(`the JSON patch operation ${op} ${path.text} lacks a value (null is one)`);
      return { op, path, value };
    }
    default:
      throw bad(
        `unknown JSON patch operation ${JSON.stringify(op)}: known are add, remove, replace, move, copy and test`,
      );
  }
};

const isWithin = (inner: Pointer, outer: Pointer): boolean => inner.text.startsWith(`${outer.text}/`);

class Patching {
  readonly #document: PatchedDocument;
  #copied = 0;

  constructor(document: unknown) {
    this.#document = new PatchedDocument(document);
  }

  get result(): unknown {
    return this.#document.root;
  }

  apply(operation: Operation): void {
    switch (operation.op) {
      case 'add':
        this.#document.add(operation.path, operation.value);
        return;
      case 'remove':
        this.#document.remove(operation.path);
        return;
      case 'replace':
        this.#document.replace(operation.path, operation.value);
        return;
      case 'test':
        this.#test(operation.path, operation.value);
        return;
      case 'move':
        if (isWithin(operation.path, operation.from))
          throw invalid(`cannot move ${operation.from.text} into itself`);
        this.#document.add(operation.path, this.#document.remove(operation.from));
        return;
      case 'copy':
        this.#document.add(operation.path, this.#copy(operation.from));
        return;
    }
  }

  #test(path: Pointer, value: unknown): void {
    if (!equal(this.#document.get(path), value))
      throw invalid(`testing value ${path.text} failed: test failed`);
  }

  #copy(from: Pointer): unknown {
    const text = JSON.stringify(this.#document.get(from));
    this.#copied += text.length;
    if (this.#copied > maxCopied)
      throw new ClusterError(
        'RequestEntityTooLarge',
        `the copies of the JSON patch are larger than ${maxCopied} characters`,
      );
    return JSON.parse(text);
  }
}

/**
 * A new document that shares with the old one what did not change. Throws BadRequest for what is no patch,
 * RequestEntityTooLarge for too many operations or too much copied, Invalid when an operation (a failed `test` among
 * them) does not fit the document.
 */
export const jsonPatch = (document: unknown, operations: readonly unknown[]): unknown => {
  if (!Array.isArray(operations)) throw bad('a JSON patch is a list of operations');
  if (operations.length > maxOperations)
    throw new ClusterError(
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    );
  const patching = new Patching(document);
  for (const operation of operations.map(parse)) {
    try {
      patching.apply(operation);
    } catch (error) {
      if (!(error instanceof Unresolvable)) throw error;
      throw invalid(`${operation.op} operation does not apply: ${error.message}`, error);
    }
  }
  return patching.result;
};
