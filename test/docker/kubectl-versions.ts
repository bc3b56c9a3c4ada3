// The versions of kubectl that this machine has.
import { readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The kubectl on PATH, and versions that lie beside it as `kubectl.1.27`. */
export const kubectls = (): readonly string[] => {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      const home = dirname(realpathSync(join(folder, 'kubectl')));
      const found = readdirSync(home).filter((name) => /^kubectl\.1\.\d+$/.test(name));
      return found.length === 0 ? [join(folder, 'kubectl')] : found.sort().map((name) => join(home, name));
    } catch {
      continue;
    }
  }
  throw new Error('kubectl is not on PATH');
};
