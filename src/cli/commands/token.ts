// capstan token create | list | delete
import { parseDuration } from '../../base/duration.js';
import type { Clock } from '../../base/clock.js';
import { systemClock } from '../../host/system-clock.js';
import { createToken, deleteToken, joinCommand, listTokens, tokenUsages } from '../../process/invitations.js';
import { hasExpired, parseToken, type BootstrapToken } from '../../resources/bootstrap-token.js';
import { humanDuration } from '../../resources/duration.js';
import type { Remote } from '../../process/remote.js';
import { textOption, UsageError, type CliCommand, type CliContext, type Invocation } from '../command.js';
import { connect, connectionOptions } from '../connect.js';
import { formatOption, outputFormat } from '../format-option.js';
import { print, renderTable } from '../output.js';

type Action = (remote: Remote, invocation: Invocation, context: CliContext) => Promise<void>;

const expiryOf = (invocation: Invocation, clock: Clock): number | undefined => {
  const text = textOption(invocation, 'ttl') ?? '24h';
  if (text === '0') return undefined;
  const ttl = parseDuration(text);
  if (ttl === undefined)
    throw new UsageError(`--ttl: ${text} is not a duration such as 24h, or 0 for a token that never expires`);
  return clock.now() + ttl;
};

const create: Action = async ({ cluster }, invocation, { output, signal }) => {
  const given = invocation.args[1];
  const token = given === undefined ? undefined : parseToken(given);
  if (given !== undefined && token === undefined)
    throw new UsageError('a token looks like abcdef.0123456789abcdef (six, a dot, sixteen)');
  const made = await createToken(cluster, {
    token,
    expires: expiryOf(invocation, systemClock),
    description: textOption(invocation, 'description') ?? '',
    usages: (invocation.options['usage'] as readonly string[] | undefined) ?? tokenUsages,
    groups: (invocation.options['group'] as readonly string[] | undefined) ?? [],
  });
  const command = await joinCommand(cluster, made, { clock: systemClock, signal });
  const value = { token: `${made.id}.${made.secret}`, joinCommand: command, expires: expires(made) };
  print(output, outputFormat(invocation), value, () => [command]);
};

const expires = (token: BootstrapToken): string =>
  token.expires === undefined ? 'never' : new Date(token.expires).toISOString();

const leftOf = (token: BootstrapToken, now: number): string => {
  if (token.expires === undefined) return '<forever>';
  return hasExpired(token, now) ? '<expired>' : humanDuration(token.expires - now);
};

/** Without the secrets: whoever needs one makes a new one. */
const list: Action = async ({ cluster }, invocation, { output }) => {
  const tokens = await listTokens(cluster);
  const shown = tokens.map((token) => ({
    id: token.id,
    expires: expires(token),
    usages: token.usages,
    groups: token.groups,
    description: token.description,
  }));
  print(output, outputFormat(invocation), shown, () =>
    tokens.length === 0
      ? ['There are no tokens; `capstan token create` makes one.']
      : renderTable(
          ['ID', 'LEFT', 'EXPIRES', 'USAGES', 'GROUPS', 'DESCRIPTION'],
          tokens.map((token) => [
            token.id,
            leftOf(token, systemClock.now()),
            expires(token),
            token.usages.join(','),
            token.groups.join(',') || '-',
            token.description,
          ]),
        ),
  );
};

const remove: Action = async ({ cluster }, { args }, { output }) => {
  const tokens = args.slice(1);
  if (tokens.length === 0) throw new UsageError('name the token, or its id');
  for (const token of tokens) output.line(`Deleted token ${await deleteToken(cluster, token)}.`);
};

/** The key that signs tokens of service accounts; what former keys have signed stays good. */
const rotateKey: Action = async (remote, invocation, { output, signal }) => {
  const rotated = (await remote.request('POST', '/capstan/v1/rotate-token-key', undefined, signal)) as {
    readonly key: string;
    readonly former: readonly string[];
  };
  print(output, outputFormat(invocation), rotated, () => [
    `Tokens of service accounts are signed with key ${rotated.key} from now on; ${String(rotated.former.length)} former keys still vouch for theirs.`,
  ]);
};

const actions: Readonly<Record<string, Action>> = { create, list, delete: remove, 'rotate-key': rotateKey };

export const command: CliCommand = {
  name: 'token',
  usage: '<create|list|delete|rotate-key> [token...]',
  summary:
    'Tokens by which machines join: make one and print the command to join with, list them, delete one; rotate-key: a new key for the tokens of service accounts.',
  example: 'capstan token create --ttl 2h\ncapstan token list\ncapstan token delete abcdef',
  options: (program) => {
    connectionOptions(program);
    formatOption(program);
    program
      .option('--ttl <DURATION>', 'how long it is good for; 0: for ever (default: 24h)')
      .option('--description <TEXT>', 'what it is for')
      .option('--usage <USAGE...>', 'authentication, signing (default: both)')
      .option('--group <GROUP...>', 'extra groups, system:bootstrappers:…');
  },
  run: async (invocation, context) => {
    const action = actions[invocation.args[0] ?? ''];
    if (action === undefined)
      throw new UsageError(`${invocation.args[0] ?? ''} is none of ${Object.keys(actions).join(', ')}`);
    const remote = await connect(invocation, context);
    try {
      await action(remote, invocation, context);
      return 0;
    } finally {
      remote.close();
    }
  },
};
