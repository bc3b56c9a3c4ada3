// The hooks of a bare repository that Capstan makes: one line of shell each, which hands Git's words to Capstan.
export const hookNames = ['pre-receive', 'post-receive'] as const;

export type HookName = (typeof hookNames)[number];

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A machine without Capstan's program (a restored copy, for example) still takes pushes. */
export const hookScript = (
  hook: HookName,
  program: { readonly node: string; readonly script: string; readonly dataDir: string },
): string => {
  const { node, script, dataDir } = program;
  return [
    '#!/bin/sh',
    '# Written by Capstan at each start: pre-receive refuses manifests with errors, post-receive tells what changes.',
    `[ -x ${quoted(node)} ] && [ -r ${quoted(script)} ] || exit 0`,
    `exec ${quoted(node)} ${quoted(script)} hook ${hook} --data-dir ${quoted(dataDir)}`,
    '',
  ].join('\n');
};
