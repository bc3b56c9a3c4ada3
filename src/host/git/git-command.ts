// The system's git as a child process with a limit on its time and on what it may say.
import { spawn } from 'node:child_process';
import { ClusterError } from '../../base/errors.js';

export interface GitCommand {
  readonly gitDir?: string | undefined;
  readonly workTree?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  /** Milliseconds; 60 s unless told. */
  readonly timeoutMs?: number | undefined;
}

/** Never asks a person anything, and never takes the repository of the caller's environment for the one that is meant. */
export const gitEnvironment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => {
  const inherited = Object.entries(process.env).filter(([name]) => !/^GIT_(?!SSH)/.test(name));
  return {
    ...Object.fromEntries(inherited),
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    LC_ALL: 'C',
    ...extra,
  };
};

const mostOutput = 64 * 1024 * 1024;

/** Resolves to standard output. Throws ServiceUnavailable with what git said on failure, NotFound when there is no git. */
export const runGit = (args: readonly string[], command: GitCommand, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const where = [
      ...(command.gitDir === undefined ? [] : ['--git-dir', command.gitDir]),
      ...(command.workTree === undefined ? [] : ['-C', command.workTree]),
    ];
    const child = spawn('git', [...where, ...args], {
      env: gitEnvironment(command.environment),
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
      timeout: command.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    const output: Buffer[] = [];
    let size = 0;
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostOutput) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 8_192) complaint += chunk.toString('utf8');
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (error.code === 'ENOENT')
        reject(new ClusterError('NotFound', 'git is not installed: apt-get install git', { cause: error }));
      else reject(error);
    });
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else
        reject(
          new ClusterError(
            'ServiceUnavailable',
            code === null
              ? `git ${args[0] ?? ''} was ended after ${String((command.timeoutMs ?? 60_000) / 1_000)} s or too much output`
              : `git ${args[0] ?? ''} failed: ${complaint.trim().split('\n').slice(-4).join(' ')}`,
          ),
        );
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input ?? '');
  });

/** Whether there is a git to run. */
export const hasGit = async (signal: AbortSignal): Promise<boolean> => {
  try {
    await runGit(['--version'], {}, signal);
    return true;
  } catch {
    // Any failure to print a version is as good as no git.
    return false;
  }
};
