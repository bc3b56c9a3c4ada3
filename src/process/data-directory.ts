// Where things stand in the data directory, and the name by which the engine knows what belongs to it.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ClusterError } from '../base/errors.js';
import { readPid } from '../host/detached.js';

export interface DataDirectory {
  readonly root: string;
  readonly store: string;
  /** The database itself. */
  readonly storeFile: string;
  readonly pki: string;
  /** Key rings: what is encrypted in the store cannot be read without them. */
  readonly keys: string;
  readonly repository: string;
  readonly sources: string;
  readonly node: string;
  /** Files of the proxy that serves Ingresses and Gateways. */
  readonly ingress: string;
  readonly kubeconfig: string;
  /** Credentials of a node whose master is elsewhere. */
  readonly agentKubeconfig: string;
  readonly log: string;
  readonly audit: string;
  readonly output: string;
  readonly pid: string;
  /** Settings of the last start. */
  readonly settings: string;
  /** Label value on everything that this installation makes in the container engine. */
  readonly instance: string;
}

/** `root` is absolute. */
export const dataDirectory = (root: string): DataDirectory => ({
  root,
  store: join(root, 'store'),
  storeFile: join(root, 'store', 'store.mdb'),
  ingress: join(root, 'ingress'),
  pki: join(root, 'pki'),
  keys: join(root, 'keys'),
  repository: join(root, 'repo.git'),
  sources: join(root, 'sources'),
  node: join(root, 'node'),
  kubeconfig: join(root, 'admin.kubeconfig'),
  agentKubeconfig: join(root, 'agent.kubeconfig'),
  log: join(root, 'capstan.log'),
  audit: join(root, 'audit', 'audit.log'),
  output: join(root, 'capstan.out'),
  pid: join(root, 'capstan.pid'),
  settings: join(root, 'settings.yaml'),
  instance: createHash('sha256').update(root).digest('hex').slice(0, 12),
});

/** Throws Conflict while another process works with the directory. */
export const refuseSecond = ({ root, pid }: DataDirectory): void => {
  const running = readPid(pid);
  if (running !== undefined)
    throw new ClusterError(
      'Conflict',
      `process ${running} works with ${root} already: \`capstan down --data-dir ${root}\` stops it`,
    );
};
