// capstan network
import type { NetworkPath } from '../../resources/network-path.js';
import { UsageError, type CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import { print, renderTable } from '../output.js';

/** Broken paths as a table, and one line that counts. */
export const checkLines = (paths: readonly NetworkPath[]): readonly string[] => {
  const broken = paths.filter(({ problem }) => problem !== undefined);
  const counts = `${String(paths.length - broken.length)} of ${String(paths.length)} paths work`;
  if (broken.length === 0) return [`${counts}.`];
  const rows = broken.map(({ from, to, kind, address, port, problem = '' }) => [
    from,
    to,
    kind,
    `${address}:${String(port)}`,
    problem,
  ]);
  return [...renderTable(['FROM', 'TO', 'PATH', 'ADDRESS', 'PROBLEM'], rows), '', `${counts}.`];
};

export const command: CliCommand = {
  name: 'network',
  usage: '<check>',
  summary:
    'Have every node try its way to each other node, through the overlay, and to each service; print what is broken.',
  example: 'capstan network check',
  options: (program) => {
    connectionOptions(program);
    formatOption(program);
  },
  run: async (invocation, context) => {
    const [verb] = invocation.args;
    if (verb !== 'check') throw new UsageError('say `capstan network check`');
    const remote = await connect(invocation, context);
    try {
      const answer = await remote.request('GET', '/capstan/v1/network', undefined, context.signal);
      const { paths } = answer as { readonly paths: readonly NetworkPath[] };
      print(context.output, outputFormat(invocation), { paths }, () => checkLines(paths));
      return paths.some(({ problem }) => problem !== undefined) ? 1 : 0;
    } finally {
      remote.close();
    }
  },
};
