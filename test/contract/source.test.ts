import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Source } from '../../src/gitops/source.js';
import { openLocalSource } from '../../src/host/git/local-source.js';
import { openSource, type SourceOptions } from '../../src/host/git/open-source.js';
import { eventually, git, serveGit, temporary, TestRepository } from './git-fixtures.js';

interface Subject {
  readonly source: Source;
  close(): Promise<void>;
}

type Open = (root: string, repository: TestRepository, signal: AbortSignal) => Promise<Subject>;

const options = (root: string, address: string): SourceOptions => ({
  address,
  branch: 'main',
  mirrors: join(root, 'mirrors'),
  own: false,
  pollMs: 200,
});

const nothing = (): Promise<void> => Promise.resolve();

const subjects: Readonly<Record<string, Open>> = {
  'a bare repository on disk': async (root, repository, signal) => ({
    source: await openSource(options(root, repository.bare), signal),
    close: nothing,
  }),
  'a repository behind http': async (root, _, signal) => {
    const server = await serveGit(root, { username: 'capstan', password: 's3cret' });
    const address = `${server.url.replace('http://', 'http://capstan:s3cret@')}/repo.git`;
    return { source: await openSource(options(root, address), signal), close: () => server.close() };
  },
  "a repository behind the system's git": async (root, repository, signal) => {
    // The same transport as ssh's, with a command in place of ssh that runs the other side on this machine.
    process.env['GIT_SSH_COMMAND'] = `sh -c 'shift; exec sh -c "$*"' ssh`;
    const address = `git@example.org:${repository.bare}`;
    return {
      source: await openSource(options(root, address), signal),
      close: () => {
        delete process.env['GIT_SSH_COMMAND'];
        return Promise.resolve();
      },
    };
  },
};

const author = { name: 'Capstan', email: 'capstan@localhost.cluster' };

describe.each(Object.entries(subjects))('%s', (_, open) => {
  let root: ReturnType<typeof temporary>;
  let repository: TestRepository;
  let subject: Subject;
  let controller: AbortController;
  let signal: AbortSignal;

  beforeEach(async () => {
    root = temporary();
    repository = new TestRepository(root.path);
    git(repository.bare, 'config', 'http.receivepack', 'true');
    controller = new AbortController();
    signal = controller.signal;
    subject = await open(root.path, repository, signal);
  });

  afterEach(async () => {
    controller.abort();
    await subject.close();
    root.remove();
  });

  const text = async (oid: string): Promise<string> => {
    for await (const blob of subject.source.blobs([oid], signal))
      return Buffer.from(blob.content).toString('utf8');
    throw new Error(`no blob ${oid}`);
  };

  const readFile = async (tree: string, path: string): Promise<string> => {
    const steps = path.split('/');
    let oid = tree;
    for (const step of steps) {
      const entry = (await subject.source.tree(oid, signal)).find(({ name }) => name === step);
      if (entry === undefined) throw new Error(`no ${path}`);
      oid = entry.oid;
    }
    return text(oid);
  };

  it('says which branch is missing while there is none', async () => {
    await expect(subject.source.head(signal)).rejects.toThrow(/has no branch main: push one/);
  });

  it('reads the commit at the head, its trees and its files', async () => {
    const oid = repository.publish(
      { 'apps/web/a.yaml': 'a: 1\n', 'README.md': 'hello\n' },
      'first\n\nwith a body',
    );
    const head = await subject.source.head(signal);
    expect(head.oid).toBe(oid);
    expect(head.message).toBe('first\n\nwith a body\n');
    expect(head.author).toEqual({ name: 'Ada', email: 'ada@example.org' });
    expect(await readFile(head.tree, 'apps/web/a.yaml')).toBe('a: 1\n');
  });

  it('follows packed refs, packed objects and force pushes to unrelated history', async () => {
    repository.publish({ 'a.yaml': '1' });
    git(repository.bare, 'gc', '--quiet');
    const packed = await subject.source.head(signal);
    expect(await readFile(packed.tree, 'a.yaml')).toBe('1');
    git(repository.clone, 'checkout', '--quiet', '--orphan', 'other');
    const unrelated = repository.commit({ 'a.yaml': '2' });
    repository.push('--force');
    const forced = await subject.source.head(signal);
    expect(forced.oid).toBe(unrelated);
    expect(await readFile(forced.tree, 'a.yaml')).toBe('2');
  });

  it('reads hundreds of files in one go', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (__, index) => [
        `d${String(index % 7)}/f${String(index)}.yaml`,
        `n: ${String(index)}\n`.repeat(index + 1),
      ]),
    );
    repository.publish(files);
    git(repository.bare, 'repack', '-adq');
    const head = await subject.source.head(signal);
    const wanted = new Map<string, string>();
    for (const folder of await subject.source.tree(head.tree, signal))
      for (const { oid, name } of await subject.source.tree(folder.oid, signal))
        wanted.set(oid, `${folder.name}/${name}`);
    let count = 0;
    for await (const { oid, content } of subject.source.blobs([...wanted.keys()], signal)) {
      expect(Buffer.from(content).toString('utf8')).toBe(files[wanted.get(oid) ?? '']);
      count += 1;
    }
    expect(count).toBe(300);
  });

  it('hints soon after a push', async () => {
    repository.publish({ 'a.yaml': '1' });
    const seen: string[] = [];
    void (async () => {
      const hints = subject.source.hints(signal)[Symbol.asyncIterator]();
      while ((await hints.next()).done !== true) {
        const head = await subject.source.head(signal).catch(() => undefined);
        if (head !== undefined) seen.push(head.oid);
      }
    })();
    await eventually(() => expect(seen.length).toBeGreaterThan(0));
    const second = repository.publish({ 'a.yaml': '2' });
    await eventually(() => expect(seen).toContain(second));
    const third = repository.publish({ 'a.yaml': '3' });
    git(repository.bare, 'pack-refs', '--all');
    await eventually(() => expect(seen.at(-1)).toBe(third));
  });

  it('resolves branches, tags and commit ids, and names what it cannot', async () => {
    const oid = repository.publish({ 'a.yaml': '1' });
    git(repository.clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/feature/x', 'HEAD:refs/tags/v1');
    for (const ref of ['feature/x', 'v1']) expect((await subject.source.resolve(ref, signal)).oid).toBe(oid);
    expect((await subject.source.resolve(oid, signal)).oid).toBe(oid);
    await expect(subject.source.resolve('nope', signal)).rejects.toThrow('no branch, tag or commit nope');
  });

  it('writes a commit of changed paths on top of a branch and leaves the rest alone', async () => {
    const first = repository.publish({ 'apps/web/a.yaml': 'old\n', 'apps/shop/b.yaml': 'b\n' });
    const head = await subject.source.head(signal);
    const old = (await subject.source.tree(head.tree, signal)).find(({ name }) => name === 'apps');
    repository.publish({ 'apps/web/a.yaml': 'new\n', 'apps/shop/b.yaml': 'b2\n' });
    const second = await subject.source.head(signal);
    const web = (await subject.source.tree(old!.oid, signal)).find(({ name }) => name === 'web');
    const written = await subject.source.write(
      {
        branch: 'main',
        expected: second.oid,
        parents: [second.oid],
        author,
        message: 'put web back',
        at: Date.UTC(2026, 0, 1),
        base: second.tree,
        replace: new Map([['apps/web', { oid: web!.oid, type: 'tree' as const }]]),
        files: new Map([['notes/why.txt', 'because\n']]),
      },
      signal,
    );
    expect((await subject.source.head(signal)).oid).toBe(written.oid);
    git(repository.clone, 'pull', '--quiet', '--ff-only', 'origin', 'main');
    expect(git(repository.clone, 'show', 'HEAD:apps/web/a.yaml')).toBe('old');
    expect(git(repository.clone, 'show', 'HEAD:apps/shop/b.yaml')).toBe('b2');
    expect(git(repository.clone, 'show', 'HEAD:notes/why.txt')).toBe('because');
    expect(git(repository.clone, 'log', '-1', '--format=%an <%ae> %s')).toBe(
      'Capstan <capstan@localhost.cluster> put web back',
    );
    git(repository.bare, 'fsck', '--strict');
    expect(first).not.toBe(written.oid);
  });

  it('refuses to move a branch that is not where it was expected', async () => {
    const first = repository.publish({ 'a.yaml': '1' });
    const head = await subject.source.head(signal);
    const second = repository.publish({ 'a.yaml': '2' });
    const change = {
      branch: 'main',
      expected: first,
      parents: [first],
      author,
      message: 'late',
      at: 0,
      base: head.tree,
      files: new Map([['b.yaml', '1']]),
    };
    await expect(subject.source.write(change, signal)).rejects.toMatchObject({ code: 'Conflict' });
    expect((await subject.source.head(signal)).oid).toBe(second);
  });

  it('makes a branch from nothing and replaces its history', async () => {
    repository.publish({ 'a.yaml': '1' });
    await subject.source.head(signal);
    const change = { branch: 'capstan/status', author, message: 'status', at: 0, base: undefined };
    const one = await subject.source.write(
      { ...change, expected: undefined, parents: [], files: new Map([['STATUS.md', 'one\n']]) },
      signal,
    );
    const two = await subject.source.write(
      { ...change, expected: one.oid, parents: [], files: new Map([['STATUS.md', 'two\n']]) },
      signal,
    );
    expect(git(repository.bare, 'rev-parse', 'capstan/status')).toBe(two.oid);
    expect(git(repository.bare, 'rev-list', '--count', 'capstan/status')).toBe('1');
    expect(git(repository.bare, 'show', 'capstan/status:STATUS.md')).toBe('two');
  });

  it('says that the repository is away, and reads on when it returns', async () => {
    const oid = repository.publish({ 'a.yaml': '1' });
    await subject.source.head(signal);
    const away = `${repository.bare}.away`;
    renameSync(repository.bare, away);
    await expect(subject.source.head(signal)).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    renameSync(away, repository.bare);
    expect((await subject.source.head(signal)).oid).toBe(oid);
  });
});

describe('an ordinary repository with the branch checked out', () => {
  it('moves the branch together with the files of the work tree', async () => {
    const root = temporary();
    const signal = new AbortController().signal;
    try {
      const repository = new TestRepository(root.path);
      repository.commit({ 'a.yaml': '1\n' });
      const source = await openSource(options(root.path, repository.clone), signal);
      const head = await source.head(signal);
      await source.write(
        {
          branch: 'main',
          expected: head.oid,
          parents: [head.oid],
          author,
          message: 'm',
          at: 0,
          base: head.tree,
          files: new Map([['b.yaml', '2\n']]),
        },
        signal,
      );
      expect(git(repository.clone, 'status', '--porcelain')).toBe('');
      expect(execFileSync('cat', [join(repository.clone, 'b.yaml')], { encoding: 'utf8' })).toBe('2\n');
    } finally {
      root.remove();
    }
  });

  it('says that a damaged object is missing', async () => {
    const root = temporary();
    const signal = new AbortController().signal;
    try {
      const repository = new TestRepository(root.path);
      const oid = repository.publish({ 'a.yaml': '1\n' });
      rmSync(join(repository.bare, 'objects', oid.slice(0, 2)), { recursive: true });
      const source = await openSource(options(root.path, repository.bare), signal);
      await expect(source.head(signal)).rejects.toThrow(new RegExp(`damaged: object ${oid} is missing`));
    } finally {
      root.remove();
    }
  });
});

describe('a repository behind http that is not as one would wish', () => {
  it('refuses wrong credentials and unknown addresses in sentences', async () => {
    const root = temporary();
    const signal = new AbortController().signal;
    const server = await serveGit(root.path, { username: 'capstan', password: 's3cret' });
    try {
      new TestRepository(root.path).publish({ 'a.yaml': '1\n' });
      const at = (credentials: SourceOptions['credentials'], name = 'repo.git') =>
        openSource({ ...options(root.path, `${server.url}/${name}`), credentials }, signal);
      const wrong = await at({ username: 'capstan', password: 'wrong' });
      await expect(wrong.head(signal)).rejects.toThrow(/refuses the credentials/);
      expect(wrong.address).not.toContain('wrong');
      const none = await at(undefined);
      await expect(none.head(signal)).rejects.toMatchObject({ code: 'ServiceUnavailable' });
      const absent = await at({ username: 'capstan', password: 's3cret' }, 'absent.git');
      await expect(absent.head(signal)).rejects.toThrow(/there is no Git repository at http:.*absent\.git/);
      const right = await at({ username: 'capstan', password: 's3cret' });
      expect((await right.head(signal)).message).toBe('change\n');
      await server.close();
      await expect(right.head(signal)).rejects.toThrow(/cannot be reached/);
    } finally {
      root.remove();
    }
  });
});

describe('where there is no git on the machine', () => {
  it('packed objects are read all the same', async () => {
    const root = temporary();
    const signal = new AbortController().signal;
    try {
      const repository = new TestRepository(root.path);
      const files = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`f${String(index)}.yaml`, `${String(index)}\n`]),
      );
      const oid = repository.publish(files);
      git(repository.bare, 'repack', '-adq');
      const source = openLocalSource({ path: repository.bare, branch: 'main', hasGit: false, own: false });
      const head = await source.head(signal);
      expect(head.oid).toBe(oid);
      const entries = await source.tree(head.tree, signal);
      const names = new Map(entries.map((entry) => [entry.oid, entry.name]));
      const read: Record<string, string> = {};
      for await (const blob of source.blobs([...names.keys()], signal))
        read[names.get(blob.oid)!] = Buffer.from(blob.content).toString('utf8');
      expect(read).toEqual(files);
    } finally {
      root.remove();
    }
  });
});
