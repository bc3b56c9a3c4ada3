// Volumes and small files on a real disk.
import { mkdtemp, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeFiles } from '../../../src/host/node-files.js';
import type { NodeFiles } from '../../../src/node/node-files.js';

describe('the files of a node', () => {
  let root: string;
  let files: NodeFiles;
  const name = { podUid: 'uid-1', volume: 'pages' };
  const file = (path: string, text: string, mode = 0o644) => ({ path, data: Buffer.from(text), mode });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'capstan-files-'));
    files = createNodeFiles(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('show projected files and replace all of them in one step', async () => {
    const path = await files.project(name, { files: [file('a', '1', 0o400), file('deep/b', '2')] });
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('1');
    expect(await readFile(join(path, 'deep/b'), 'utf8')).toBe('2');
    expect((await stat(join(path, 'a'))).mode & 0o777).toBe(0o400);
    const before = await readlink(join(path, '..data'));
    expect(await files.project(name, { files: [file('a', 'new'), file('c', '3')] })).toBe(path);
    expect((await readdir(path)).filter((entry) => !entry.startsWith('..')).sort()).toEqual(['a', 'c']);
    expect(await readFile(join(path, 'a'), 'utf8')).toBe('new');
    expect(await readlink(join(path, '..data'))).not.toBe(before);
    expect((await readdir(path)).filter((entry) => entry.startsWith('..'))).toHaveLength(2);
  });

  it('leave a volume alone that shows what it shall show', async () => {
    const path = await files.project(name, { files: [file('a', '1')] });
    const before = await readlink(join(path, '..data'));
    await createNodeFiles(root).project(name, { files: [file('a', '1')] });
    expect(await readlink(join(path, '..data'))).toBe(before);
    await files.project(name, { files: [file('a', '1', 0o600)] });
    expect(await readlink(join(path, '..data'))).not.toBe(before);
  });

  it('never leave the volume', async () => {
    await expect(files.project(name, { files: [file('../x', '1')] })).rejects.toThrow(
      /leads out of its volume/,
    );
    const path = await files.emptyDirectory(name, { memory: false });
    await symlink('/etc', join(path, 'way-out'));
    await expect(files.subPath(path, 'way-out')).rejects.toThrow(/leads out of its volume/);
    await expect(files.subPath(path, '../../x')).rejects.toThrow(/leads out of its volume/);
    await expect(files.podFile('../uid', 'x', '')).rejects.toThrow(/leads out/);
  });

  it('make sub paths that whoever may write the volume may write', async () => {
    const path = await files.emptyDirectory(name, { memory: false });
    const sub = await files.subPath(path, 'a/b');
    expect((await stat(sub)).mode & 0o777).toBe(0o777);
  });

  it.each([
    ['Directory', 'does not exist'],
    ['File', 'does not exist'],
    ['Socket', 'does not exist'],
  ] as const)('refuse a host path of type %s that %s', async (type, why) => {
    await expect(files.checkHostPath(join(root, 'none'), type)).rejects.toThrow(why);
  });

  it('check the type of host paths and make those that may be made', async () => {
    await writeFile(join(root, 'f'), '');
    await expect(files.checkHostPath(join(root, 'f'), 'Directory')).rejects.toThrow(/is not a directory/);
    await files.checkHostPath(join(root, 'f'), 'File');
    await files.checkHostPath(join(root, 'd/e'), 'DirectoryOrCreate');
    await files.checkHostPath(join(root, 'd/f'), 'FileOrCreate');
    expect((await stat(join(root, 'd/e'))).isDirectory()).toBe(true);
    expect((await stat(join(root, 'd/f'))).isFile()).toBe(true);
  });

  it('keep the end of long last words, and take a link for nothing', async () => {
    const path = await files.terminationLog('uid-1', 'web', 0);
    await writeFile(path, `${'x'.repeat(5000)}end`);
    const words = await files.readTerminationLog('uid-1', 'web', 0);
    expect(words).toHaveLength(4096);
    expect(words.endsWith('end')).toBe(true);
    await rm(path);
    await symlink('/etc/passwd', path);
    expect(await files.readTerminationLog('uid-1', 'web', 0)).toBe('');
    expect(await files.readTerminationLog('uid-1', 'web', 7)).toBe('');
  });

  it('know whose they are and remove everything of a pod', async () => {
    await files.podFile('uid-1', 'etc-hosts', 'x');
    await files.podFile('uid-2', 'etc-hosts', 'y');
    expect([...(await files.pods())].sort()).toEqual(['uid-1', 'uid-2']);
    await files.removePod('uid-1');
    await files.removePod('uid-1');
    expect(await files.pods()).toEqual(['uid-2']);
  });
});
