// capstan status
import { isAbort } from '../../base/abort.js';
import { hasCode } from '../../base/errors.js';
import { systemClock } from '../../host/system-clock.js';
import { applicationTable, isHealthy } from '../application-table.js';
import { textOption, type CliCommand, type CliContext, type Invocation } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import type { StatusAnswer } from '../git-answers.js';
import { print } from '../output.js';
import { waitDuration } from '../wait-duration.js';

const ask = async (invocation: Invocation, context: CliContext, refresh = false): Promise<StatusAnswer> => {
  const remote = await connect(invocation, context);
  try {
    return (await remote.request(
      'GET',
      `/capstan/v1/status?refresh=${String(refresh)}`,
      undefined,
      context.signal,
    )) as StatusAnswer;
  } finally {
    remote.close();
  }
};

const everyMs = 250;

/** The last answer before the time was up. A daemon that is just starting is waited for too. */
const askUntilHealthy = async (
  invocation: Invocation,
  context: CliContext,
  waitMs: number,
): Promise<StatusAnswer> => {
  const end = systemClock.now() + waitMs;
  // Only the first answer need look at the repository: from there on the daemon follows it.
  let refresh = true;
  for (;;) {
    const last = systemClock.now() >= end;
    try {
      const answer = await ask(invocation, context, refresh);
      refresh = false;
      if (last || isHealthy(answer)) return answer;
    } catch (error) {
      if (last || isAbort(error, context.signal) || !hasCode(error, 'ServiceUnavailable')) throw error;
    }
    await systemClock.sleep(everyMs, context.signal);
  }
};

export const command: CliCommand = {
  name: 'status',
  summary: 'Show where the applications of the cluster repository stand.',
  example: 'capstan status\ncapstan status --wait 90s\ncapstan status -o json',
  options: (program) => {
    connectionOptions(program);
    program.option(
      '--wait <DURATION>',
      'wait this long for everything to be healthy; exit code 1 when it is not',
    );
    formatOption(program);
  },
  run: async (invocation, context) => {
    const wait = textOption(invocation, 'wait');
    const answer =
      wait === undefined
        ? await ask(invocation, context)
        : await askUntilHealthy(invocation, context, waitDuration(wait));
    print(context.output, outputFormat(invocation), answer, () => applicationTable(answer));
    return wait === undefined || isHealthy(answer) ? 0 : 1;
  },
};
