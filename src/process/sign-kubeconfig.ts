// Kubeconfigs signed with the authority of this machine's data directory.
import { ClusterError } from '../base/errors.js';
import { renderKubeconfig } from '../client/kubeconfig.js';
import { readOptionalFile } from '../host/files.js';
import { primaryAddress } from '../host/machine.js';
import { privateFiles } from '../host/private-files.js';
import { systemClock } from '../host/system-clock.js';
import { issueCertificate } from '../pki/authority.js';
import type { Subject } from '../pki/certificate.js';
import { openAuthority } from '../pki/directory.js';
import type { DataDirectory } from './data-directory.js';
import { administrator } from './identities.js';
import type { Settings } from './settings.js';

export interface SignOptions {
  /** Undefined: the administrator. */
  readonly subject: Subject | undefined;
  /** Address of the API server; undefined: this machine's, as other machines reach it. */
  readonly server: string | undefined;
}

const lifetime = 365 * 24 * 60 * 60 * 1000;

/** A node's agent both asks the API server and listens to it; its certificate is good for both. */
const usagesOf = ({ organizations }: Subject): readonly ('client' | 'server')[] =>
  organizations.includes('system:nodes') ? ['client', 'server'] : ['client'];

/** Throws NotFound where no cluster has been made. */
export const signKubeconfig = async (
  settings: Settings,
  directory: DataDirectory,
  { subject = administrator, server }: SignOptions,
): Promise<string> => {
  if ((await readOptionalFile(directory.kubeconfig)) === undefined)
    throw new ClusterError(
      'NotFound',
      `there is no cluster in ${directory.root}: start one with \`capstan up\``,
    );
  const now = systemClock.now();
  const authority = await openAuthority(await privateFiles(directory.pki), now);
  const { certificate, key } = issueCertificate(authority, {
    subject,
    usages: usagesOf(subject),
    now,
    lifetime,
  });
  return renderKubeconfig({
    name: 'capstan',
    server: server ?? `https://${settings.advertiseAddress ?? primaryAddress()}:${settings.apiPort}`,
    ca: authority.certificate,
    cert: certificate,
    key,
    user: subject.commonName,
  });
};
