// capstan secrets
import { UsageError, type CliCommand } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import { print } from '../output.js';

interface Rotated {
  readonly key: string;
  readonly values: number;
  readonly dropped: readonly string[];
}

const sentence = ({ key, values, dropped }: Rotated): string => {
  const gone = dropped.length === 0 ? 'no older key was left' : `dropped ${dropped.join(', ')}`;
  return `Secrets are encrypted with the new key ${key}: ${values} rewritten, ${gone}.`;
};

export const command: CliCommand = {
  name: 'secrets',
  usage: '<rotate-key>',
  summary: 'Encrypt all Secrets in the store with a new key, while the cluster runs; the old key is dropped.',
  example: 'capstan secrets rotate-key',
  options: (program) => {
    connectionOptions(program);
    formatOption(program);
  },
  run: async (invocation, context) => {
    const [action] = invocation.args;
    if (action !== 'rotate-key')
      throw new UsageError(`secrets ${action ?? ''}: say \`capstan secrets rotate-key\``);
    const remote = await connect(invocation, context);
    try {
      const rotated = (await remote.request(
        'POST',
        '/capstan/v1/rotate-key',
        undefined,
        context.signal,
      )) as Rotated;
      print(context.output, outputFormat(invocation), rotated, () => [sentence(rotated)]);
      return 0;
    } finally {
      remote.close();
    }
  },
};
