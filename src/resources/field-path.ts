// Paths to fields as Kubernetes writes them: `spec.containers[0].resources.limits[cpu]`.
import type { SchemaNode } from './schema-node.js';

/** `spec` and `replicas` -> `spec.replicas`; an empty parent is the object itself. */
export const child = (parent: string, field: string): string =>
  parent === '' ? field : `${parent}.${field}`;

export const item = (parent: string, key: string | number): string => `${parent}[${String(key)}]`;

/** Steps into an object of that schema; list positions and keys of maps stand in brackets. */
export const fieldPath = (root: SchemaNode, steps: readonly string[]): string => {
  let node: SchemaNode | undefined = root;
  let path = '';
  for (const step of steps) {
    const bracketed = node?.type === 'array' || node?.type === 'map';
    path = bracketed ? item(path, step) : child(path, step);
    node = node?.type === 'array' ? node.element() : node?.field(step);
  }
  return path;
};
