// Why a container was not started, with the reason that its status shows.
import { hasCode, messageOf } from '../../base/errors.js';

/** A failure whose reason the container's status shows. */
export class StartFailure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** The engine is away, or the operation was given up: nobody's fault, tried again when that is over. */
export const isTransient = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted || hasCode(error, 'ServiceUnavailable');

export const step = async <T>(reason: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (isTransient(error, signal) || error instanceof StartFailure) throw error;
    throw new StartFailure(reason, messageOf(error), error);
  }
};
