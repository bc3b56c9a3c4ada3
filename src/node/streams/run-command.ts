// Runs a command in a container for a client, or attaches the client to what runs there, and says how it ended.
import type { Logger } from '../../base/log.js';
import { messageOf } from '../../base/errors.js';
import type { Runtime } from '../runtime.js';
import type { CommandClient, CommandRequest } from './command-client.js';
import { exited, failed, succeeded } from './command-status.js';
import type { CommandStatus } from './command-status.js';

export interface CommandTarget {
  readonly runtime: Runtime;
  readonly containerId: string;
  readonly request: CommandRequest;
  /** To the container's own process, instead of running a command. */
  readonly attach: boolean;
  readonly log: Logger;
}

const run = async (
  target: CommandTarget,
  client: CommandClient,
  running: AbortController,
): Promise<CommandStatus> => {
  const { runtime, containerId, request, attach } = target;
  const session = await runtime.exec(
    containerId,
    {
      command: request.command,
      attach,
      tty: request.tty,
      ...(client.stdin === undefined ? {} : { stdin: client.stdin }),
      ...(client.resizes === undefined ? {} : { resizes: client.resizes }),
    },
    AbortSignal.any([client.signal, running.signal]),
  );
  for await (const { stream, data } of session.output) {
    try {
      await client.write(stream, data);
    } catch (error) {
      // Nobody reads it any more: the command ends before its output is let go of.
      running.abort(error);
      throw error;
    }
  }
  const code = await session.exitCode;
  // Who was attached watched another's process: its exit code is in the pod's status.
  return attach ? succeeded : exited(request.command, code);
};

/** Never rejects. What runs for a client ends with it. */
export const runCommand = async (target: CommandTarget, client: CommandClient): Promise<void> => {
  const running = new AbortController();
  let status: CommandStatus;
  try {
    status = await run(target, client, running);
  } catch (error) {
    status = failed(
      target.attach ? 'error attaching to container' : 'error executing command in container',
      error,
    );
  }
  try {
    await client.finish(status);
  } catch (error) {
    target.log.debug({ error: messageOf(error) }, 'a client went away before its command had ended');
  }
};
