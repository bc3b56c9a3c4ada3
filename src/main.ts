#!/usr/bin/env node
// argv -> command.
import { runCli } from './cli/run.js';
import { terminalOutput } from './host/terminal.js';

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => controller.abort(new DOMException(`received ${signal}`, 'AbortError')));

process.exitCode = await runCli(process.argv.slice(2), {
  output: terminalOutput(process.stdout, process.stderr),
  environment: process.env,
  workingDirectory: process.cwd(),
  signal: controller.signal,
});
