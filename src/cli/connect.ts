// A command's way to the cluster: the kubeconfig of the data directory unless another is named.
import { readOptionalFile } from '../host/files.js';
import { ClusterError } from '../base/errors.js';
import type { Command } from 'commander';
import { dataDirectory } from '../process/data-directory.js';
import { openRemote, type Remote } from '../process/remote.js';
import { textOption, type CliContext, type Invocation } from './command.js';

const defaultDataDir = '/var/lib/capstan';

export const connectionOptions = (command: Command): void => {
  command
    .option('--kubeconfig <FILE>', 'credentials (default: admin.kubeconfig in the data directory)')
    .option('--data-dir <DIR>', `data directory of this machine's Capstan (default: ${defaultDataDir})`);
};

export const dataDirOf = (invocation: Invocation, { environment }: CliContext): string =>
  textOption(invocation, 'dataDir') ?? environment['CAPSTAN_DATA_DIR'] ?? defaultDataDir;

/** Throws ServiceUnavailable, saying what to start, when there is no cluster to talk to. */
export const connect = async (invocation: Invocation, context: CliContext): Promise<Remote> => {
  const { environment } = context;
  const dataDir = dataDirOf(invocation, context);
  const file =
    textOption(invocation, 'kubeconfig') ??
    environment['CAPSTAN_KUBECONFIG'] ??
    dataDirectory(dataDir).kubeconfig;
  const content = await readOptionalFile(file);
  if (content === undefined)
    throw new ClusterError(
      'ServiceUnavailable',
      `there is no kubeconfig ${file}: start a cluster with \`capstan up\`, or name one with --kubeconfig or --data-dir`,
    );
  return openRemote(content, file);
};
