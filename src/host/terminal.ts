// Standard output and standard error.
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
