// Programs as a user runs them: capstan, git, kubectl, docker.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Network namespace in which the program runs; the machine's own when absent. */
  readonly namespace?: string | undefined;
  /** The program is ended when it takes longer. Default 60 s. */
  readonly timeoutMs?: number;
}

/** What goes before a command to run it in a network namespace; unlike `ip netns exec` it keeps the mounts. */
export const entering = (namespace: string | undefined): readonly string[] =>
  namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];

/** Never rejects for an exit code; output is collected whole. */
export const run = (program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> =>
  new Promise((resolve, reject) => {
    const [first = program, ...rest] = [...entering(options.namespace), program, ...args];
    const child = spawn(first, rest, {
      cwd: options.cwd,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined); // a program need not read its input
    child.stdin.end(options.input);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? 128,
        stdout,
        stderr: signal === null ? stderr : `${stderr}\nended by ${signal}`,
      });
    });
  });

/** As `run`, but rejects with everything that was printed when the program fails. */
export const must = async (
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> => {
  const result = await run(program, args, options);
  if (result.code !== 0)
    throw new Error(
      `${program} ${args.join(' ')} exited with ${result.code}\n--- stdout\n${result.stdout}\n--- stderr\n${result.stderr}`,
    );
  return result.stdout;
};

export const checkout = new URL('../..', import.meta.url).pathname;
export const capstanProgram = join(checkout, 'dist/main.js');

/** The kubectl to test with: KUBECTL, or the one on PATH. */
export const kubectlProgram = process.env['KUBECTL'] ?? 'kubectl';

/** Every version of kubectl that stands beside the one on PATH, as `kubectl.1.NN`. */
export const kubectlVersions = (): readonly { readonly version: string; readonly program: string }[] => {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, 'kubectl'))
    .find((file) => existsSync(file));
  if (found === undefined) return [];
  const folder = dirname(realpathSync(found));
  const beside = readdirSync(folder)
    .filter((name) => /^kubectl\.1\.\d+$/.test(name))
    .map((name) => ({ version: name.slice('kubectl.'.length), program: join(folder, name) }));
  return beside.length > 0 ? beside : [{ version: 'on PATH', program: found }];
};

/** Asks again until the answer satisfies, or fails with the last answer. */
export const eventually = async <T>(
  ask: () => Promise<T> | T,
  satisfied: (answer: T) => boolean,
  { timeoutMs = 30_000, everyMs = 250, what = 'the condition' } = {},
): Promise<T> => {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (Date.now() > end)
      throw new Error(
        `${what} did not come true within ${timeoutMs} ms; last seen: ${JSON.stringify(answer, null, 1)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
};
