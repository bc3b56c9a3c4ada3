// kustomize and helm as child processes, on files laid out in a directory of their own, with limits on time and output.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ClusterError } from '../../base/errors.js';
import type { Renderer, RenderRequest } from '../../gitops/source.js';

const timeoutMs = 30_000;
const mostOutput = 64 * 1024 * 1024;

const missing = {
  kustomize:
    'this folder has a kustomization.yaml, and there is no kubectl to render it: apt-get install kubernetes-client, or put kubectl or kustomize on the PATH',
  helm: 'this folder has a Chart.yaml, and there is no helm to render it: install it from https://helm.sh, or put it on the PATH',
} as const;

const run = (command: string, args: readonly string[], cwd: string, signal: AbortSignal): Promise<string> =>
  new Promise((done, fail) => {
    execFile(
      command,
      [...args],
      { cwd, signal, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: mostOutput, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) done(stdout);
        else if (error.code === 'ENOENT') fail(new ClusterError('NotFound', `${command} is not installed`));
        else if (signal.aborted) fail(signal.reason as Error);
        else if (error.killed === true)
          fail(
            new ClusterError(
              'Timeout',
              `${command} took longer than ${String(timeoutMs / 1_000)} s, or said too much`,
            ),
          );
        else
          fail(
            new ClusterError(
              'Invalid',
              `${command} refuses it: ${stderr.trim().split('\n').slice(-5).join(' ')}`,
            ),
          );
      },
    );
  });

const commandsFor = ({
  tool,
  name,
  namespace,
  path,
}: RenderRequest): readonly (readonly [string, readonly string[]])[] => {
  const folder = path === '' ? '.' : path;
  if (tool === 'helm')
    return [
      [
        'helm',
        [
          'template',
          name,
          folder,
          '--include-crds',
          ...(namespace === undefined ? [] : ['--namespace', namespace]),
        ],
      ],
    ];
  return [
    ['kubectl', ['kustomize', folder]],
    ['kustomize', ['build', folder]],
  ];
};

export const toolRenderer: Renderer = {
  render: async (request, signal) => {
    const directory = await mkdtemp(join(tmpdir(), 'capstan-render-'));
    try {
      for (const [path, content] of request.files) {
        const target = resolve(directory, path);
        if (!target.startsWith(`${directory}/`)) continue;
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, content);
      }
      for (const [command, args] of commandsFor(request))
        try {
          return await run(command, args, directory, signal);
        } catch (error) {
          if (!(error instanceof ClusterError) || error.code !== 'NotFound') throw error;
        }
      throw new ClusterError('Invalid', missing[request.tool]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
