// capstan validate
import { resolve } from 'node:path';
import { readManifestDirectory } from '../../host/manifest-directory.js';
import { validateDirectory } from '../../process/offline-validation.js';
import { textOption, type CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import { problemLine, type ProblemAnswer } from '../git-answers.js';
import { print } from '../output.js';

export const command: CliCommand = {
  name: 'validate',
  usage: '[directory]',
  summary: 'Check a cluster repository for errors, by file, line and column. A directory needs no cluster.',
  example: 'capstan validate\ncapstan validate my-cluster\ncapstan validate --ref my-branch',
  options: (program) => {
    connectionOptions(program);
    program.option(
      '--ref <REF>',
      'branch, tag or commit in the repository of a running cluster, instead of a directory',
    );
    formatOption(program);
  },
  run: async (invocation, context) => {
    const { output, workingDirectory, signal } = context;
    const ref = textOption(invocation, 'ref');
    let problems: readonly ProblemAnswer[];
    if (ref === undefined) {
      const directory = resolve(workingDirectory, invocation.args[0] ?? '.');
      problems = await validateDirectory(await readManifestDirectory(directory), signal);
    } else {
      const remote = await connect(invocation, context);
      try {
        const answer = await remote.request('POST', '/capstan/v1/validate', { ref }, signal);
        ({ problems } = answer as { readonly problems: readonly ProblemAnswer[] });
      } finally {
        remote.close();
      }
    }
    print(output, outputFormat(invocation), { problems }, () =>
      problems.length === 0 ? ['no errors'] : problems.map(problemLine),
    );
    return problems.length === 0 ? 0 : 3;
  },
};
