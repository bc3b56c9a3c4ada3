// Standard output and standard error.
import { createInterface } from 'node:readline/promises';

interface Stream {
  readonly isTTY?: boolean;
  write(text: string): boolean;
}

export const terminalOutput = (stdout: Stream, stderr: Stream) => ({
  isTerminal: stdout.isTTY === true,
  line: (text: string): void => void stdout.write(`${text}\n`),
  note: (text: string): void => void stderr.write(`${text}\n`),
  raw: (text: string): void => void stdout.write(text),
});

/** Asks on the terminal and waits for a line. */
export const ask = async (question: string, signal: AbortSignal): Promise<string> => {
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await prompt.question(question, { signal });
  } finally {
    prompt.close();
  }
};
