// Renders OpenAPI definitions as TypeScript interfaces of the JSON wire format (dates are strings, everything is readonly).
import type { Definition, Property } from './definitions.js';

/** Names that two packages share keep a prefix; `core` and the older package win the bare name. */
const bareNames = (names: readonly string[]): Map<string, string> => {
  const taken = new Set<string>();
  const result = new Map<string, string>();
  const rank = (name: string): number =>
    name.includes('.meta.v1.') ? 0 : name.includes('.core.v1.') ? 1 : name.includes('.v2.') ? 3 : 2;
  for (const name of [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
    const [pkg = '', version = '', simple = ''] = name.split('.').slice(-3);
    const prefix =
      version === 'v1' ? `${(pkg[0] ?? '').toUpperCase()}${pkg.slice(1)}` : version.toUpperCase();
    const chosen = taken.has(simple) ? `${prefix}${simple}` : simple;
    taken.add(chosen);
    result.set(name, chosen);
  }
  return result;
};

const isTopLevel = (definition: Definition): boolean =>
  definition.properties?.['kind'] !== undefined &&
  definition.properties['metadata']?.$ref?.endsWith('.ObjectMeta') === true;

export const renderTypes = (definitions: Record<string, Definition>): string => {
  const names = bareNames(Object.keys(definitions));
  const typeOf = (property: Property): string => {
    if (property.$ref !== undefined) {
      const name = property.$ref.slice('#/components/schemas/'.length);
      return name.endsWith('.meta.v1.ObjectMeta') ? 'DraftMeta' : (names.get(name) ?? 'unknown');
    }
    if (property['x-kubernetes-int-or-string']) return 'number | string';
    if (property.items !== undefined) return `readonly (${typeOf(property.items)})[]`;
    if (property.additionalProperties !== undefined)
      return `{ readonly [key: string]: ${typeOf(property.additionalProperties)} }`;
    if (property.type === 'integer' || property.type === 'number') return 'number';
    if (property.type === 'string' || property.type === 'boolean') return property.type;
    return 'unknown';
  };
  const lines = [
    '// Generated from the Kubernetes OpenAPI definitions by scripts/generate; not edited by hand.',
    "import type { DraftMeta, ObjectMeta } from '../resource.js';",
    '',
  ];
  for (const [name, definition] of Object.entries(definitions)) {
    if (name.endsWith('.meta.v1.ObjectMeta')) continue;
    const top = isTopLevel(definition);
    lines.push(`export interface ${names.get(name) ?? ''} {`);
    for (const [field, property] of Object.entries(definition.properties ?? {})) {
      const required =
        definition.required?.includes(field) === true ||
        (top && ['apiVersion', 'kind', 'metadata', 'spec'].includes(field));
      const type = top && field === 'metadata' ? 'ObjectMeta' : typeOf(property);
      lines.push(`  readonly ${JSON.stringify(field)}${required ? `: ${type}` : `?: ${type} | undefined`};`);
    }
    lines.push('}', '');
  }
  return lines.join('\n');
};
