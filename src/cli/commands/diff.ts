// capstan diff
import type { CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import { hasProblems, type PlanAnswer } from '../git-answers.js';
import { print } from '../output.js';

export const command: CliCommand = {
  name: 'diff',
  usage: '[application]',
  summary: 'Show how what is live differs from what the branch says.',
  example: 'capstan diff\ncapstan diff web',
  options: (program) => {
    connectionOptions(program);
    formatOption(program);
  },
  run: async (invocation, context) => {
    const { output, signal } = context;
    const [application] = invocation.args;
    const remote = await connect(invocation, context);
    try {
      const path = `/capstan/v1/diff?coloured=${String(output.isTerminal)}`;
      const { text, ...plan } = (await remote.request('POST', path, { application }, signal)) as PlanAnswer;
      print(output, outputFormat(invocation), plan, () => text);
      return hasProblems({ ...plan, text }) ? 3 : 0;
    } finally {
      remote.close();
    }
  },
};
