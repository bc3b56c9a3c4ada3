// Every command, loaded only when it is called: a hook must start as fast as Node does.
import type { CliCommand } from './command.js';

export interface CommandEntry {
  readonly name: string;
  load(): Promise<{ readonly command: CliCommand }>;
}

export const commands: readonly CommandEntry[] = [
  { name: 'up', load: () => import('./commands/up.js') },
  { name: 'down', load: () => import('./commands/down.js') },
  { name: 'reset', load: () => import('./commands/reset.js') },
  { name: 'version', load: () => import('./commands/version.js') },
];
