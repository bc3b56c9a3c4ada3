// The few commands that a simulated container understands: echo, sleep, true, false, exit, in `sh -c` too.

export type Step =
  | { readonly type: 'write'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'end'; readonly code: number };

const unquote = (word: string): string => word.replace(/^(['"])(.*)\1$/s, '$2');

const wordsOf = (line: string): readonly string[] =>
  (line.match(/"[^"]*"|'[^']*'|[^\s]+/g) ?? []).map(unquote);

const shell = /(^|\/)(sh|bash|ash|busybox)$/;

const single = (words: readonly string[]): Step | undefined => {
  const [program = '', ...rest] = words;
  switch (program.slice(program.lastIndexOf('/') + 1)) {
    case 'echo': {
      const toStderr = rest.includes('>&2') || rest.includes('1>&2');
      const text = rest.filter((word) => word !== '>&2' && word !== '1>&2').join(' ');
      return { type: 'write', stream: toStderr ? 'stderr' : 'stdout', text: `${text}\n` };
    }
    case 'sleep': {
      const seconds = Number(rest[0]);
      return Number.isFinite(seconds) ? { type: 'wait', ms: seconds * 1000 } : undefined;
    }
    case 'true':
    case ':':
      return { type: 'wait', ms: 0 };
    case 'false':
      return { type: 'end', code: 1 };
    case 'exit': {
      const code = Number(rest[0] ?? '0');
      return Number.isInteger(code) ? { type: 'end', code } : undefined;
    }
    default:
      return undefined;
  }
};

/** Undefined when anything in it is unknown: then the program is taken to run until it is stopped. */
export const parseScript = (command: readonly string[]): readonly Step[] | undefined => {
  const applet = command[0]?.endsWith('busybox') === true ? command.slice(1) : command;
  const [program = '', option, text] = applet;
  const lines =
    shell.test(program) && option === '-c' && text !== undefined
      ? text.split(/;|\n|&&/).flatMap((line) => {
          const words = wordsOf(line.trim());
          return words.length === 0 ? [] : [words];
        })
      : [applet];
  const steps: Step[] = [];
  for (const line of lines) {
    const step = single(line);
    if (step === undefined) return undefined;
    steps.push(step);
    if (step.type === 'end') break;
  }
  return steps;
};
