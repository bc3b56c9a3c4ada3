// capstan restore
import { resolve } from 'node:path';
import { gunzippedLines } from '../../host/tree.js';
import { readBackup } from '../../process/backup/archive.js';
import { restoreInto } from '../../process/backup/restore.js';
import type { CliCommand } from '../command.js';
import { addSettings, settingsOf } from '../settings-options.js';

export const command: CliCommand = {
  name: 'restore',
  usage: '<file>',
  summary: 'Make a data directory of a backup. The directory must be absent or empty: nothing is replaced.',
  example: 'capstan restore /backup/capstan-monday.gz\ncapstan restore monday.gz --data-dir /var/lib/capstan',
  options: (program) => addSettings(program, ['dataDir']),
  run: async (invocation, context) => {
    const { dataDir } = await settingsOf(invocation, context);
    const backup = await readBackup(
      gunzippedLines(resolve(context.workingDirectory, invocation.args[0] ?? '')),
    );
    await restoreInto(dataDir, backup);
    const { createdAt, revision } = backup.header;
    context.output.line(
      `Restored ${String(backup.entries.length)} objects as of ${createdAt} (revision ${String(revision)}) into ${dataDir}. \`capstan up --data-dir ${dataDir}\` starts it.`,
    );
    return 0;
  },
};
