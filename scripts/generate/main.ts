// Writes src/resources/generated: OpenAPI definitions with and without descriptions, compiled validators, and the wire
// types as TypeScript.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capstanDefinitions } from './capstan-definitions.js';
import { gatewayDefinitions } from './gateway-definitions.js';
import { rolloutDefinitions } from './rollout-definitions.js';
import { buildDefinitions } from './definitions.js';
import { renderProtobufFields } from './protobuf.js';
import { renderTypes } from './types.js';
import { compileValidators } from './validators.js';

const target = join(new URL('../..', import.meta.url).pathname, 'src/resources/generated');
mkdirSync(target, { recursive: true });
const definitions = [
  ...buildDefinitions(),
  ...Object.entries({ ...capstanDefinitions, ...rolloutDefinitions, ...gatewayDefinitions }),
];
const sorted = Object.fromEntries(definitions.sort(([a], [b]) => (a < b ? -1 : 1)));

/** What the server needs at run time: descriptions are most of the text and serve `explain` only. */
const withoutDescriptions = (key: string, value: unknown): unknown =>
  key === 'description' && typeof value === 'string' ? undefined : value;

writeFileSync(join(target, 'definitions.json'), JSON.stringify(sorted));
writeFileSync(join(target, 'schemas.json'), JSON.stringify(sorted, withoutDescriptions));
writeFileSync(join(target, 'types.ts'), renderTypes(sorted));
writeFileSync(join(target, 'protobuf-fields.ts'), renderProtobufFields(sorted));
writeFileSync(join(target, 'validators.cjs'), compileValidators(sorted));
