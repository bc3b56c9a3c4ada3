// A repository behind ssh, through the system's git and the ssh keys of the user that Capstan runs as.
import { ClusterError, messageOf } from '../../base/errors.js';
import { runGit } from './git-command.js';
import type { Transport } from './transport.js';

const environment = { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=15' };

export const sshTransport = (gitDir: string, url: string): Transport => {
  const git = async (args: readonly string[], signal: AbortSignal): Promise<string> => {
    const own = process.env['GIT_SSH_COMMAND'] === undefined ? { environment } : {};
    try {
      return await runGit(args, { gitDir, timeoutMs: 120_000, ...own }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClusterError && error.code === 'NotFound') throw error;
      throw new ClusterError('ServiceUnavailable', `${url} cannot be reached: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  return {
    address: url,
    lookUp: async (ref, signal) => {
      const found = (await git(['ls-remote', url, ref], signal)).split(/\s/)[0];
      return found === '' ? undefined : found;
    },
    fetch: async (ref, signal) => {
      const tracking = `refs/remotes/origin/${ref.replace(/^refs\/(heads|tags)\//, '')}`;
      await git(['fetch', '--quiet', '--no-tags', url, `+${ref}:${tracking}`], signal);
    },
    push: async ({ oid, branch, expected }, signal) => {
      const ref = `refs/heads/${branch}`;
      try {
        await git(
          ['push', '--quiet', `--force-with-lease=${ref}:${expected ?? ''}`, url, `${oid}:${ref}`],
          signal,
        );
      } catch (error) {
        signal.throwIfAborted();
        if (/stale info|rejected|fetch first/.test(messageOf(error)))
          throw new ClusterError(
            'Conflict',
            `${branch} at ${url} moved meanwhile, or refuses the push: ${messageOf(error)}`,
            {
              retry: true,
              cause: error,
            },
          );
        throw error;
      }
    },
  };
};
