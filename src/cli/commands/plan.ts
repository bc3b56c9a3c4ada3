// capstan plan
import { resolve } from 'node:path';
import { readManifestDirectory } from '../../host/manifest-directory.js';
import { textOption, type CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import { hasProblems, type PlanAnswer } from '../git-answers.js';
import { print } from '../output.js';

export const command: CliCommand = {
  name: 'plan',
  usage: '[directory]',
  summary: 'Show what a branch, a commit or a directory would change in the cluster; changes nothing.',
  example: 'capstan plan\ncapstan plan --ref my-branch\ncapstan plan . -o json',
  options: (program) => {
    connectionOptions(program);
    program.option(
      '--ref <REF>',
      'branch, tag or commit in the cluster repository (default: the branch that runs)',
    );
    formatOption(program);
  },
  run: async (invocation, context) => {
    const { output, workingDirectory, signal } = context;
    const [directory] = invocation.args;
    const ref = textOption(invocation, 'ref');
    const body =
      directory === undefined
        ? { ref }
        : { files: Object.fromEntries(await readManifestDirectory(resolve(workingDirectory, directory))) };
    const remote = await connect(invocation, context);
    try {
      const path = `/capstan/v1/plan?coloured=${String(output.isTerminal)}`;
      const { text, ...plan } = (await remote.request('POST', path, body, signal)) as PlanAnswer;
      print(output, outputFormat(invocation), plan, () => text);
      return hasProblems({ ...plan, text }) ? 3 : 0;
    } finally {
      remote.close();
    }
  },
};
