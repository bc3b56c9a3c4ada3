// The version in package.json, which stands beside both src/ and dist/.
import { createRequire } from 'node:module';

export const { version } = createRequire(import.meta.url)('../../package.json') as {
  readonly version: string;
};
