// capstan backup
import { resolve } from 'node:path';
import { readPid } from '../../host/detached.js';
import { writeStream } from '../../host/tree.js';
import { offlineBackup } from '../../process/backup/backup.js';
import { dataDirectory } from '../../process/data-directory.js';
import { textOption, type CliCommand, type CliContext, type Invocation } from '../command.js';
import { connect, connectionOptions, dataDirOf } from '../connect.js';

/** From the daemon where one runs, or is named; from the data directory itself where none does. */
const take = async (file: string, invocation: Invocation, context: CliContext): Promise<number> => {
  const directory = dataDirectory(resolve(context.workingDirectory, dataDirOf(invocation, context)));
  if (textOption(invocation, 'kubeconfig') === undefined && readPid(directory.pid) === undefined)
    return writeStream(file, offlineBackup(directory));
  const remote = await connect(invocation, context);
  try {
    return await writeStream(file, await remote.download('/capstan/v1/backup', context.signal));
  } finally {
    remote.close();
  }
};

export const command: CliCommand = {
  name: 'backup',
  usage: '<file>',
  summary:
    "Write the cluster into one file, while it runs: objects, keys, certificates, Capstan's own repository. Whoever has the file has the cluster: keep it safe.",
  example: 'capstan backup /backup/capstan-monday.gz',
  options: connectionOptions,
  run: async (invocation, context) => {
    const file = resolve(context.workingDirectory, invocation.args[0] ?? '');
    const size = await take(file, invocation, context);
    context.output.line(
      `Wrote ${file} (${(size / 1024).toFixed(0)} KiB). \`capstan restore\` makes a data directory of it.`,
    );
    return 0;
  },
};
