// What a command of the command line is: one file in commands/ and one line in commands.ts.
import type { Command } from 'commander';
import type { Output } from './output.js';

/** 0 done, 1 failed, 2 wrong usage, 3 refused (invalid manifests, conflicts). */
export type ExitCode = 0 | 1 | 2 | 3;

export interface CliContext {
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Invocation {
  /** Positional arguments; a variadic one is flattened. */
  readonly args: readonly string[];
  /** Options by camel-cased name. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface CliCommand {
  readonly name: string;
  /** Positional arguments in commander's notation, such as `<object>` or `[application...]`. */
  readonly usage?: string;
  readonly summary: string;
  /** A line or two that can be typed as they stand. */
  readonly example: string;
  /** Not listed in `--help`: called by hooks, not by people. */
  readonly hidden?: boolean;
  options?(command: Command): void;
  run(invocation: Invocation, context: CliContext): Promise<ExitCode>;
}

/** Thrown for what the user typed wrong: exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Text of an option that commander has parsed; undefined when absent. */
export const textOption = (invocation: Invocation, name: string): string | undefined => {
  const value = invocation.options[name];
  return typeof value === 'string' ? value : undefined;
};

export const flagOption = (invocation: Invocation, name: string): boolean =>
  invocation.options[name] === true;
