// Renders the field numbers of Kubernetes' protobuf messages (proto-fields.json) for the kinds that are built in, with
// the names that JSON has for them: what kubectl sends to `create` is decoded by these tables.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Definition } from './definitions.js';

type ProtoField = readonly [number: number, name: string, type: string];

const here = new URL('.', import.meta.url).pathname;

const protoName = (definition: string): string => definition.replace(/^io\.k8s\./, 'k8s.io.');
const definitionName = (proto: string): string => proto.replace(/^k8s\.io\./, 'io.k8s.');

/** `repeated a.B`, `map<string,a.B>` -> `a.B`. */
const elementOf = (type: string): string =>
  type.replace(/^repeated /, '').replace(/^map<string,(.*)>$/, '$1');

export const renderProtobufFields = (definitions: Record<string, Definition>): string => {
  const all = JSON.parse(readFileSync(join(here, 'proto-fields.json'), 'utf8')) as Record<
    string,
    ProtoField[]
  >;
  const messages: Record<string, unknown[]> = {};
  const kinds: Record<string, string> = {};

  const visit = (name: string): void => {
    const fields = all[name];
    if (fields === undefined || messages[name] !== undefined) return;
    const properties = Object.keys(definitions[definitionName(name)]?.properties ?? {});
    messages[name] = fields.map(([number, field, type]) => {
      const same = properties.find((property) => property.toLowerCase() === field.toLowerCase());
      // A message that JSON does not know by name is an embedded Go struct: its fields stand in the object itself.
      const inline = same === undefined && properties.length > 0 && all[elementOf(type)] !== undefined;
      return inline ? [number, field, type, 1] : [number, same ?? field, type];
    });
    for (const [, , type] of fields) visit(elementOf(type));
  };

  for (const [name, definition] of Object.entries(definitions))
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const proto = protoName(name);
      if (all[proto] === undefined) continue;
      kinds[`${group === '' ? '' : `${group}/`}${version}/${kind}`] = proto;
      visit(proto);
    }
  visit('k8s.io.apimachinery.pkg.runtime.Unknown');

  const literal = (value: unknown): string => JSON.stringify(JSON.stringify(value));
  return [
    '// Generated from the Kubernetes protobuf definitions by scripts/generate; not edited by hand.',
    '',
    '/** Number, JSON name, type; a fourth member marks a message whose fields stand in the object itself. */',
    'export type ProtobufField = readonly [number, string, string, 1?];',
    '',
    '/** Fields by the name of their message. */',
    `export const protobufMessages = JSON.parse(${literal(messages)}) as Readonly<Record<string, readonly ProtobufField[]>>;`,
    '',
    '/** Message names by `apps/v1/Deployment`. */',
    `export const protobufKinds = JSON.parse(${literal(kinds)}) as Readonly<Record<string, string>>;`,
    '',
  ].join('\n');
};
