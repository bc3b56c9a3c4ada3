// capstan sync
import { systemClock } from '../../host/system-clock.js';
import type { Remote } from '../../process/remote.js';
import { applicationTable } from '../application-table.js';
import { textOption, type CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import type { StatusAnswer } from '../git-answers.js';
import { print } from '../output.js';
import { waitDuration } from '../wait-duration.js';

interface SyncAnswer {
  readonly head: string;
  readonly applications: readonly string[];
}

const everyMs = 200;

/** Resolves when each application runs the head, has failed, or is held; or when the time is up. */
const settled = async (
  remote: Remote,
  { head, applications }: SyncAnswer,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<{ readonly answer: StatusAnswer; readonly done: boolean; readonly failed: boolean }> => {
  const end = systemClock.now() + waitMs;
  for (;;) {
    const answer = (await remote.request('GET', '/capstan/v1/status', undefined, signal)) as StatusAnswer;
    const chosen = answer.applications.filter(({ name }) => applications.includes(name));
    const stuck = chosen.filter(({ phase }) => phase === 'Failed' || phase === 'Held');
    const done = chosen.every((application) => application.revision === head || stuck.includes(application));
    if (done || systemClock.now() >= end) return { answer, done, failed: stuck.length > 0 };
    await systemClock.sleep(everyMs, signal);
  }
};

export const command: CliCommand = {
  name: 'sync',
  usage: '[application]',
  summary: 'Look at the repository now, and try again now what waits for a later attempt.',
  example: 'capstan sync\ncapstan sync web --wait 1m',
  options: (program) => {
    connectionOptions(program);
    program.option('--wait <DURATION>', 'how long to wait for the revision to be carried out', '30s');
    formatOption(program);
  },
  run: async (invocation, context) => {
    const waitMs = waitDuration(textOption(invocation, 'wait') ?? '30s');
    const [application] = invocation.args;
    const remote = await connect(invocation, context);
    try {
      const asked = (await remote.request(
        'POST',
        '/capstan/v1/sync',
        { application },
        context.signal,
      )) as SyncAnswer;
      const { answer, done, failed } = await settled(remote, asked, { waitMs, signal: context.signal });
      print(context.output, outputFormat(invocation), answer, () => applicationTable(answer));
      return done && !failed ? 0 : 1;
    } finally {
      remote.close();
    }
  },
};
