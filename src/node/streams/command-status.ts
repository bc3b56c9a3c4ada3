// How a command ended, as the error channel tells the client: a `Status` in the words of Kubernetes.
import { ClusterError, messageOf } from '../../base/errors.js';
import type { ErrorCode } from '../../base/errors.js';

export interface CommandStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

export const succeeded: CommandStatus = { metadata: {}, status: 'Success' };

export const exited = (command: readonly string[], code: number): CommandStatus =>
  code === 0
    ? succeeded
    : {
        metadata: {},
        status: 'Failure',
        message: `command terminated with non-zero exit code: error executing command [${command.join(' ')}], exit code ${code}`,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
      };

/** What kept the command from running, or from running to its end. */
export const failed = (what: string, error: unknown): CommandStatus => {
  const message = `${what}: ${messageOf(error)}`;
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
};

const codes: Readonly<Partial<Record<ErrorCode, number>>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  ServiceUnavailable: 503,
};

/** An upgrade that is refused: HTTP status and body. */
export const refusedUpgrade = (error: unknown): { readonly code: number; readonly body: object } => {
  const reason = error instanceof ClusterError ? error.code : 'InternalError';
  const code = codes[reason] ?? 500;
  return {
    code,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: messageOf(error),
      reason,
      code,
    },
  };
};
