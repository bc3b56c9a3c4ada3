// The client of exec or attach, whichever protocol it speaks.
import { isObject } from '../../base/json.js';
import type { CommandStatus } from './command-status.js';

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** What the client asked for in the query. */
export interface CommandRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface CommandClient {
  /** Absent when the client has not asked for it. */
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly resizes: AsyncIterable<TerminalSize> | undefined;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** What the client has not asked for is dropped. Resolves when more may be written. */
  write(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void>;
  /** Says how it ended, and closes. */
  finish(status: CommandStatus): Promise<void>;
}

const flag = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name);
  return value === 'true' || value === '1';
};

/** A terminal has one output only. */
export const commandRequest = (query: URLSearchParams): CommandRequest => {
  const tty = flag(query, 'tty');
  return {
    command: query.getAll('command'),
    tty,
    stdin: flag(query, 'stdin'),
    stdout: flag(query, 'stdout'),
    stderr: flag(query, 'stderr') && !tty,
  };
};

const largestSide = 65_535;

const isSide = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= largestSide;

/** A document `{"Width":80,"Height":24}`; undefined for anything else. */
export const terminalSize = (text: string): TerminalSize | undefined => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not a size: the terminal keeps the one that it has.
    return undefined;
  }
  if (!isObject(parsed)) return undefined;
  const { Width: width, Height: height } = parsed;
  return isSide(width) && isSide(height) ? { width, height } : undefined;
};

/** No document is longer; what has no end is dropped. */
const largestSize = 256;

/** Sizes out of a stream of JSON documents. */
export async function* terminalSizes(source: AsyncIterable<Uint8Array>): AsyncGenerator<TerminalSize> {
  let text = '';
  for await (const piece of source) {
    text += Buffer.from(piece).toString('latin1');
    for (let end = text.indexOf('}'); end !== -1; end = text.indexOf('}')) {
      const size = terminalSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size !== undefined) yield size;
    }
    if (text.length > largestSize) text = '';
  }
}
