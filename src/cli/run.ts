// argv -> command -> exit code; the one place where an error becomes a line for a person.
import { Command, CommanderError } from 'commander';
import { ClusterError, hasCode, messageOf } from '../base/errors.js';
import { UsageError, type CliCommand, type CliContext, type ExitCode } from './command.js';
import { commands } from './commands.js';

const usageFailures: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
]);

const attach = (
  program: Command,
  cli: CliCommand,
  finish: (code: ExitCode) => void,
  context: CliContext,
): void => {
  const command = program
    .command(`${cli.name}${cli.usage === undefined ? '' : ` ${cli.usage}`}`, { hidden: cli.hidden === true })
    .description(cli.summary)
    .addHelpText('after', `\nExample:\n${cli.example.replace(/^/gm, '  ')}`)
    .showHelpAfterError(`(run capstan ${cli.name} --help for an example)`);
  cli.options?.(command);
  command.action(async () => {
    finish(
      await cli.run({ args: command.processedArgs.flat() as string[], options: command.opts() }, context),
    );
  });
};

const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof UsageError) return 2;
  return hasCode(error, 'Invalid', 'Conflict', 'Forbidden') ? 3 : 1;
};

const explain = (error: unknown): readonly string[] => {
  const lines = [`error: ${messageOf(error)}`];
  if (error instanceof ClusterError)
    for (const field of error.fields) {
      const line = `  ${field.field}: ${field.message}`;
      if (!lines[0]?.includes(field.message)) lines.push(line);
    }
  return lines;
};

/** Runs one command line (without node and script). Never throws. */
export const runCli = async (argv: readonly string[], context: CliContext): Promise<ExitCode> => {
  let code: ExitCode = 0;
  const program = new Command('capstan')
    .description('Push Kubernetes manifests to Git; Capstan runs them on machines of your own.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.raw(text),
      writeErr: (text) => context.output.note(text.trimEnd()),
    });
  const wanted = commands.filter((entry) => entry.name === argv[0]);
  for (const entry of wanted.length > 0 ? wanted : commands)
    attach(
      program,
      (await entry.load()).command,
      (result) => {
        code = result;
      },
      context,
    );
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError)
      return usageFailures.has(error.code) ? (argv.length === 0 ? 2 : 0) : 2;
    for (const line of explain(error)) context.output.note(line);
    return exitCodeOf(error);
  }
};
