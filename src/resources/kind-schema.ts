// What a kind's schema does when it does not come from the generated definitions.
import type { FieldError } from '../base/errors.js';
import type { Definitions } from './definitions.js';
import type { SchemaNode } from './schema-node.js';

export interface SchemaCheck {
  readonly errors: readonly FieldError[];
  /** Paths of fields that the kind does not have: errors, warnings or nothing, as `fieldValidation` says. */
  readonly unknown: readonly string[];
}

export interface KindSchema {
  /** What patches walk. */
  readonly node: SchemaNode;
  /** What keeps the object from being read at all; everything else is the kind's `validate`. */
  check(object: unknown): SchemaCheck;
  /** Without unknown fields, and without nulls where nothing may be null. The same object when nothing changes. */
  prune<T>(object: T): T;
  /** The kind's definition by its name, with descriptions, and those that it refers to. */
  readonly definitions: Definitions;
}
