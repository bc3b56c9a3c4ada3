// The settings of daemons as command line options, and how a command reads them.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readOptionalFile } from '../host/files.js';
import { dataDirectory } from '../process/data-directory.js';
import { readSettings, settingsTable, type Settings, type SettingsFile } from '../process/settings.js';
import { textOption, UsageError, type CliContext, type Invocation } from './command.js';
import { hasCode, messageOf } from '../base/errors.js';

const defaultFile = '/etc/capstan/config.yaml';

export const addSettings = (command: Command, only?: readonly (keyof Settings)[]): void => {
  for (const { key, flag, placeholder, description, fallback } of settingsTable) {
    if (only !== undefined && !only.includes(key)) continue;
    const note = fallback === undefined ? '' : ` (default: ${fallback})`;
    command.option(`--${flag} <${placeholder}>`, `${description}${note}`);
  }
  command.option('--config <FILE>', `settings as YAML (default: ${defaultFile})`);
};

/** URLs and scp-like addresses stay; anything else is a path. */
const absoluteRepository = (repo: string | undefined, from: string): string | undefined =>
  repo === undefined || /^([a-z+]+:\/\/|[^/]+@[^/]+:)/.test(repo) ? repo : resolve(from, repo);

/** Throws UsageError for a value that no setting takes. Paths become absolute. */
export const settingsOf = async (invocation: Invocation, context: CliContext): Promise<Settings> => {
  const named = textOption(invocation, 'config');
  const name = resolve(context.workingDirectory, named ?? defaultFile);
  const content = await readOptionalFile(name);
  if (named !== undefined && content === undefined)
    throw new UsageError(`--config: there is no file ${name}`);
  const configuration = content === undefined ? [] : [{ name, content }];
  const read = (files: readonly SettingsFile[]): Settings =>
    readSettings({ options: invocation.options, environment: context.environment, files });
  try {
    const dataDir = resolve(context.workingDirectory, read(configuration).dataDir);
    const remembered = await readOptionalFile(dataDirectory(dataDir).settings);
    const settings = read([
      ...configuration,
      ...(remembered === undefined ? [] : [{ name: dataDirectory(dataDir).settings, content: remembered }]),
    ]);
    const file = (path: string | undefined): string | undefined =>
      path === undefined ? undefined : resolve(context.workingDirectory, path);
    return {
      ...settings,
      dataDir,
      repo: absoluteRepository(settings.repo, context.workingDirectory),
      repoCredentialsFile: file(settings.repoCredentialsFile),
      repoCaFile: file(settings.repoCaFile),
      webhookSecretFile: file(settings.webhookSecretFile),
      auditPolicyFile: file(settings.auditPolicyFile),
      auditLogPath: file(settings.auditLogPath),
    };
  } catch (error) {
    if (hasCode(error, 'BadRequest')) throw new UsageError(messageOf(error));
    throw error;
  }
};
