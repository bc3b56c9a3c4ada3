// The address of a repository -> its Source.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Source } from '../../gitops/source.js';
import { hasGit } from './git-command.js';
import { httpTransport } from './http-transport.js';
import { openLocalSource } from './local-source.js';
import { openMirrorSource } from './mirror-source.js';
import { sshTransport } from './ssh-transport.js';
import type { Credentials } from './transport.js';

export interface SourceOptions {
  /** Path, `file://`, `http(s)://`, `ssh://` or `user@host:path`. */
  readonly address: string;
  readonly branch: string;
  /** Where mirrors of remote repositories are kept. */
  readonly mirrors: string;
  /** Capstan made the repository and looks after it. */
  readonly own: boolean;
  readonly credentials?: Credentials | undefined;
  readonly pollMs?: number | undefined;
}

export const openSource = async (options: SourceOptions, signal: AbortSignal): Promise<Source> => {
  const { address, branch, own, pollMs } = options;
  const git = await hasGit(signal);
  const gitDir = join(
    options.mirrors,
    `${createHash('sha256').update(address).digest('hex').slice(0, 16)}.git`,
  );
  if (/^https?:\/\//.test(address))
    return openMirrorSource({
      gitDir,
      branch,
      pollMs,
      hasGit: git,
      transport: (directory, cache) => httpTransport(directory, address, options.credentials ?? {}, cache),
    });
  if (/^ssh:\/\//.test(address) || /^[^/]+@[^/:]+:/.test(address))
    return openMirrorSource({
      gitDir,
      branch,
      pollMs,
      hasGit: git,
      transport: (directory) => sshTransport(directory, address),
    });
  const path = address.startsWith('file://') ? fileURLToPath(address) : address;
  return openLocalSource({ path, branch, hasGit: git, own, pollMs });
};
