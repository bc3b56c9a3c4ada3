// An image made of the machine's static busybox, built in memory: no registry is needed.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { writeTar } from '../../src/host/docker/tar.js';

const applets = [
  'sh',
  'cat',
  'echo',
  'env',
  'httpd',
  'id',
  'ls',
  'mkdir',
  'nc',
  'rm',
  'sleep',
  'stat',
  'true',
  'wget',
  'hostname',
  'kill',
  'test',
  'mount',
  'grep',
  'touch',
  'ip',
  'dd',
  'tail',
  'tar',
  'wc',
  'stty',
  'yes',
  'date',
];

/** Imports `name` into the engine at `host`. */
export const importBusybox = async (host: string, name: string): Promise<void> => {
  const binary = await readFile('/bin/busybox').catch(() => {
    throw new Error('/bin/busybox is missing: install Debian package busybox-static');
  });
  const layer = writeTar([
    { path: 'bin/busybox', mode: 0o755, data: binary },
    ...applets.map((applet) => ({ path: `bin/${applet}`, mode: 0o777, linkTo: 'busybox' })),
    {
      path: 'etc/passwd',
      mode: 0o644,
      data: Buffer.from('root:x:0:0:root:/:/bin/sh\nweb:x:1000:1000:web:/:/bin/sh\n'),
    },
    { path: 'www/index.html', mode: 0o644, data: Buffer.from('hello\n') },
    { path: 'tmp/.keep', mode: 0o644, data: new Uint8Array() },
  ]);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(
      'docker',
      [
        '-H',
        host,
        'import',
        '--change',
        'ENV PATH=/bin',
        '--change',
        'CMD ["/bin/sleep","1000000"]',
        '-',
        name,
      ],
      {
        stdio: ['pipe', 'ignore', 'inherit'],
      },
    );
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`docker import ended with ${String(code)}`));
    });
    child.stdin.end(layer);
  });
};
