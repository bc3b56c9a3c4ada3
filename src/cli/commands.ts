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
  { name: 'init', load: () => import('./commands/init.js') },
  { name: 'join', load: () => import('./commands/join.js') },
  { name: 'install', load: () => import('./commands/install.js') },
  { name: 'token', load: () => import('./commands/token.js') },
  { name: 'server', load: () => import('./commands/server.js') },
  { name: 'agent', load: () => import('./commands/agent.js') },
  { name: 'plan', load: () => import('./commands/plan.js') },
  { name: 'validate', load: () => import('./commands/validate.js') },
  { name: 'status', load: () => import('./commands/status.js') },
  { name: 'sync', load: () => import('./commands/sync.js') },
  { name: 'diff', load: () => import('./commands/diff.js') },
  { name: 'history', load: () => import('./commands/history.js') },
  { name: 'network', load: () => import('./commands/network.js') },
  { name: 'promote', load: () => import('./commands/promote.js') },
  { name: 'abort', load: () => import('./commands/abort.js') },
  { name: 'pause', load: () => import('./commands/pause.js') },
  { name: 'resume', load: () => import('./commands/resume.js') },
  { name: 'retry', load: () => import('./commands/retry.js') },
  { name: 'why', load: () => import('./commands/why.js') },
  { name: 'backup', load: () => import('./commands/backup.js') },
  { name: 'restore', load: () => import('./commands/restore.js') },
  { name: 'secrets', load: () => import('./commands/secrets.js') },
  { name: 'kubeconfig', load: () => import('./commands/kubeconfig.js') },
  { name: 'version', load: () => import('./commands/version.js') },
  { name: 'hook', load: () => import('./commands/hook.js') },
];
