// Forgets UDP flows to backends that are gone: a client that keeps sending from one port would be sent to its old
// backend for as long as it does. TCP needs nothing: such a connection ends by itself.
import { hasCode } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { Commands } from './commands.js';
import type { GoneBackend } from './proxy-tables.js';

export interface Conntrack {
  /** Says once, in the log, that flows stay when the node has no conntrack tool; never fails for it. */
  forget(gone: readonly GoneBackend[], signal: AbortSignal): Promise<void>;
}

const argumentsFor = ({ frontend, backend }: GoneBackend): readonly string[] => [
  ...['-D', '-p', 'udp', '--orig-port-dst', String(frontend.port), '--reply-src', backend],
  ...(frontend.address === undefined ? [] : ['--orig-dst', frontend.address]),
];

export const createConntrack = (commands: Commands, log: Logger): Conntrack => {
  let installed = true;

  const forgetOne = async (gone: GoneBackend, signal: AbortSignal): Promise<void> => {
    const { code, stderr } = await commands.ask('conntrack', argumentsFor(gone), { signal });
    // The tool fails when there was no such flow.
    if (code !== 0 && !stderr.includes('0 flow entries'))
      log.warn({ backend: gone.backend, error: stderr.trim() }, 'UDP flows to a backend that is gone stay');
  };

  return {
    forget: async (gone, signal) => {
      if (!installed) return;
      try {
        for (const one of gone) await forgetOne(one, signal);
      } catch (error) {
        if (!hasCode(error, 'NotFound')) throw error;
        installed = false;
        log.warn(
          {},
          'conntrack is not installed: UDP clients that keep their port stay with a backend that is gone until they pause for 2 minutes (apt-get install conntrack)',
        );
      }
    },
  };
};
