// Real Git repositories in temporary directories, and a real Git server over HTTP, for tests.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
};

export const git = (directory: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-C', directory, ...args], {
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

export const temporary = (): { path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'capstan-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

/** A bare repository, and a clone of it in which a person works. */
export class TestRepository {
  readonly bare: string;
  readonly clone: string;

  constructor(root: string) {
    this.bare = join(root, 'repo.git');
    this.clone = join(root, 'clone');
    execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', this.bare], { env: environment });
    execFileSync('git', ['init', '--quiet', '-b', 'main', this.clone], { env: environment });
    git(this.clone, 'remote', 'add', 'origin', this.bare);
  }

  /** Undefined removes a file. Returns the commit's id. */
  commit(files: Readonly<Record<string, string | undefined>>, message = 'change'): string {
    for (const [path, content] of Object.entries(files)) {
      const full = join(this.clone, path);
      if (content === undefined) rmSync(full, { force: true });
      else {
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, content);
      }
    }
    git(this.clone, 'add', '--all');
    git(this.clone, 'commit', '--quiet', '--allow-empty', '-m', message);
    return git(this.clone, 'rev-parse', 'HEAD');
  }

  push(...args: readonly string[]): void {
    git(this.clone, 'push', '--quiet', ...args, 'origin', 'HEAD:main');
  }

  /** Commits and pushes. */
  publish(files: Readonly<Record<string, string | undefined>>, message?: string): string {
    const oid = this.commit(files, message);
    this.push();
    return oid;
  }
}

/** `git http-backend` behind Node's own server; asks for a user name and password when given. */
export const serveGit = async (
  root: string,
  credentials?: { readonly username: string; readonly password: string },
  fixedPort = 0,
): Promise<{ url: string; server: Server; close(): Promise<void> }> => {
  const wanted =
    credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const child = spawn('git', ['http-backend'], {
      env: {
        ...environment,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        REMOTE_USER: 'tester',
        GIT_PROTOCOL: (request.headers['git-protocol'] as string | undefined) ?? '',
      },
    });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      const output = Buffer.concat(chunks);
      const end = output.indexOf('\r\n\r\n');
      const headers = output
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line) => line.split(/: (.*)/s) as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1];
      response.writeHead(
        status === undefined ? 200 : Number.parseInt(status, 10),
        Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
      );
      response.end(output.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(fixedPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
};

/** Waits until `check` gives something, failing with its last complaint after `ms`. */
export const eventually = async <T>(check: () => T | Promise<T>, ms = 8_000): Promise<T> => {
  const end = performance.now() + ms;
  for (;;)
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
};
