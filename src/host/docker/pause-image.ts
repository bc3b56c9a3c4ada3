// The image of sandboxes as a docker-archive made in memory: the same id on every host, no registry needed.
import { createHash } from 'node:crypto';
import { ClusterError } from '../../base/errors.js';
import { pauseProgram } from './pause-program.js';
import type { Architecture } from './pause-program.js';
import { writeTar } from './tar.js';

export const pauseImage = 'capstan/pause:1';

/** The engine's name of an architecture, in Go's words or in the kernel's. Throws Invalid for one without a program. */
export const architectureOf = (text: string): Architecture => {
  if (text === 'amd64' || text === 'x86_64') return 'amd64';
  if (text === 'arm64' || text === 'aarch64') return 'arm64';
  throw new ClusterError(
    'Invalid',
    `machines of the architecture ${text} cannot run pods: Capstan has sandboxes for amd64 and arm64`,
  );
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

export const pauseArchive = (architecture: Architecture): Buffer => {
  const layer = writeTar([{ path: 'pause', mode: 0o755, data: pauseProgram(architecture) }]);
  const config = json({
    architecture,
    os: 'linux',
    created: '2026-01-01T00:00:00Z',
    config: { Entrypoint: ['/pause'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: 'capstan' }],
  });
  const configName = `${sha256(config)}.json`;
  return writeTar([
    { path: configName, mode: 0o644, data: config },
    { path: 'layer.tar', mode: 0o644, data: layer },
    {
      path: 'manifest.json',
      mode: 0o644,
      data: json([{ Config: configName, RepoTags: [pauseImage], Layers: ['layer.tar'] }]),
    },
  ]);
};
