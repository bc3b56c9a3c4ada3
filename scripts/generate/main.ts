// Writes src/resources/generated: the OpenAPI definitions as JSON and the wire types as TypeScript.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDefinitions } from './definitions.js';
import { renderTypes } from './types.js';

const target = join(new URL('../..', import.meta.url).pathname, 'src/resources/generated');
mkdirSync(target, { recursive: true });
const definitions = buildDefinitions();
const sorted = Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(target, 'definitions.json'), JSON.stringify(sorted));
writeFileSync(join(target, 'types.ts'), renderTypes(sorted));
