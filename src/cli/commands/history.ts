// capstan history
import type { CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import type { HistoryAnswer } from '../git-answers.js';
import { print, renderTable } from '../output.js';

export const command: CliCommand = {
  name: 'history',
  usage: '[application]',
  summary: 'List what the Git loop has done lately, newest first.',
  example: 'capstan history\ncapstan history web -o yaml',
  options: (program) => {
    connectionOptions(program);
    formatOption(program);
  },
  run: async (invocation, context) => {
    const [application] = invocation.args;
    const remote = await connect(invocation, context);
    try {
      const answer = (await remote.request(
        'GET',
        '/capstan/v1/history',
        undefined,
        context.signal,
      )) as HistoryAnswer;
      const items = answer.items.filter(
        (item) => application === undefined || item.application === application,
      );
      print(context.output, outputFormat(invocation), { items }, () =>
        items.length === 0
          ? ['nothing yet']
          : renderTable(
              ['AT', 'APPLICATION', 'REVISION', 'OUTCOME', 'MESSAGE'],
              items.map((item) => [
                item.at,
                item.application,
                item.revision.slice(0, 8),
                item.outcome,
                item.message ?? '',
              ]),
            ),
      );
      return 0;
    } finally {
      remote.close();
    }
  },
};
