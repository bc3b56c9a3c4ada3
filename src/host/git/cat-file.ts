// Many objects out of a repository by one `git cat-file --batch`: the fast way for cold starts and packed objects.
import { spawn } from 'node:child_process';
import { ClusterError } from '../../base/errors.js';
import { gitEnvironment } from './git-command.js';

export interface GitObject {
  readonly oid: string;
  readonly type: string;
  readonly content: Uint8Array;
}

const line = 0x0a;

/** Takes chunks of the output and gives back whole objects; throws NotFound for one that is missing. */
class BatchParser {
  #pending: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = 1;

  *push(chunk: Buffer): Generator<GitObject> {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    this.#pending = Buffer.concat(this.#chunks, this.#size);
    let offset = 0;
    for (;;) {
      const end = this.#pending.indexOf(line, offset);
      if (end === -1) {
        this.#needed = 1;
        break;
      }
      const [oid = '', type = '', size = ''] = this.#pending.toString('latin1', offset, end).split(' ');
      if (type === 'missing' || type === 'ambiguous')
        throw new ClusterError('NotFound', `the repository is damaged: object ${oid} is missing`);
      const stop = end + 1 + Number(size);
      if (this.#pending.length < stop + 1) {
        this.#needed = stop + 1 - offset;
        break;
      }
      yield { oid, type, content: Uint8Array.prototype.slice.call(this.#pending, end + 1, stop) };
      offset = stop + 1;
    }
    const rest = this.#pending.subarray(offset);
    this.#chunks = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#size = rest.length;
    this.#pending = Buffer.alloc(0);
  }
}

/** Yields each object once, in order. `environment` may name a quarantine. */
export const catFile = async function* (
  gitDir: string,
  oids: readonly string[],
  options: {
    readonly environment?: Readonly<Record<string, string>> | undefined;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<GitObject> {
  const { environment, signal } = options;
  signal.throwIfAborted();
  const child = spawn('git', ['--git-dir', gitDir, 'cat-file', '--batch', '--buffer'], {
    env: gitEnvironment(environment),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 2_048) complaint += chunk.toString('utf8');
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  ended.catch(() => undefined);
  child.stdin.end(`${oids.join('\n')}\n`);
  const parser = new BatchParser();
  let count = 0;
  try {
    for await (const chunk of child.stdout)
      for (const object of parser.push(chunk as Buffer)) {
        count += 1;
        yield object;
      }
    const code = await ended;
    signal.throwIfAborted();
    if (code !== 0 || count < oids.length)
      throw new ClusterError('ServiceUnavailable', `git cat-file failed: ${complaint.trim()}`);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
};
