// `-o json|yaml|table`, wherever something is listed.
import { Option, type Command } from 'commander';
import { textOption, type Invocation } from './command.js';
import type { OutputFormat } from './output.js';

export const formatOption = (command: Command): void => {
  command.addOption(
    new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'),
  );
};

export const outputFormat = (invocation: Invocation): OutputFormat =>
  (textOption(invocation, 'output') ?? 'table') as OutputFormat;
