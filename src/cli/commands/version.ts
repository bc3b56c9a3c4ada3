// capstan version

import { version } from '../../process/version.js';
import type { CliCommand } from '../command.js';
import { print, type OutputFormat } from '../output.js';
import { formatOption, outputFormat } from '../format-option.js';

export const command: CliCommand = {
  name: 'version',
  summary: 'Print the version of this program and of the Kubernetes API that it serves.',
  example: 'capstan version -o json',
  options: formatOption,
  run: (invocation, { output }) => {
    const format: OutputFormat = outputFormat(invocation);
    const value = { version, kubernetes: 'v1.34.0' };
    print(output, format, value, () => [`capstan ${version} (Kubernetes API ${value.kubernetes})`]);
    return Promise.resolve(0);
  },
};
