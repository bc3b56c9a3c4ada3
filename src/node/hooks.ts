// Runs what a container's lifecycle and probes ask for: commands in it, requests to it, waiting.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type {
  Container as ContainerTemplate,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
} from '../resources/generated/types.js';
import type { NetworkProbe, ProbeAnswer, Prober } from './prober.js';
import type { Runtime } from './runtime.js';

export interface HookContext {
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly clock: Clock;
  /** The container in question. */
  readonly id: string;
  readonly template: ContainerTemplate;
  readonly podIP: string;
}

const outputLimit = 10_240;

/** A number, or the name of one of the container's ports. Undefined for a name that it does not have. */
export const portOf = ({ ports }: ContainerTemplate, port: number | string): number | undefined => {
  if (typeof port === 'number') return port;
  const named = ports?.find(({ name }) => name === port)?.containerPort;
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined);
};

/** Runs `work` with a signal of its own that also aborts after `ms`; undefined when that happened. */
export const within = async <T>(
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> => {
  const inner = new AbortController();
  const pass = (): void => inner.abort(signal.reason);
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass, { once: true });
  const finished = new AbortController();
  const late = new Error('the time is over');
  clock.sleep(ms, finished.signal).then(
    () => inner.abort(late),
    () => undefined,
  );
  try {
    return await work(inner.signal);
  } catch (error) {
    if (inner.signal.reason === late && (error === late || isAbort(error, inner.signal))) return undefined;
    throw error;
  } finally {
    finished.abort();
    signal.removeEventListener('abort', pass);
  }
};

/** Exit code and the beginning of the output. */
const runCommand = async (
  { runtime, id }: HookContext,
  command: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly output: string }> => {
  const session = await runtime.exec(id, { command, tty: false }, signal);
  let output = '';
  for await (const { data } of session.output)
    if (output.length < outputLimit) output += Buffer.from(data).toString('utf8');
  return { code: await session.exitCode, output: output.slice(0, outputLimit) };
};

const httpProbe = (
  context: HookContext,
  action: HTTPGetAction,
  timeoutMs: number,
): NetworkProbe | undefined => {
  const port = portOf(context.template, action.port);
  if (port === undefined) return undefined;
  const path = action.path ?? '/';
  return {
    containerId: context.id,
    host: action.host === undefined || action.host === '' ? context.podIP : action.host,
    port,
    timeoutMs,
    http: {
      scheme: action.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
      path: path.startsWith('/') ? path : `/${path}`,
      headers: action.httpHeaders ?? [],
    },
  };
};

const failed = (message: string): ProbeAnswer => ({ success: false, message });

const execProbe = async (
  context: HookContext,
  { command, timeoutMs }: { readonly command: readonly string[]; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  const result = await within(
    { clock: context.clock, ms: timeoutMs },
    (inner) => runCommand(context, command, inner),
    signal,
  );
  if (result === undefined)
    return failed(`command ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s`);
  return { success: result.code === 0, message: result.output.trim() };
};

/** Never rejects for what the container does; only when the signal aborts. */
export const runProbe = async (
  context: HookContext,
  probe: Probe,
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec !== undefined)
      return await execProbe(context, { command: probe.exec.command ?? [], timeoutMs }, signal);
    if (probe.httpGet !== undefined) {
      const request = httpProbe(context, probe.httpGet, timeoutMs);
      return request === undefined
        ? failed(`container ${context.template.name} has no port named ${probe.httpGet.port}`)
        : await context.prober.check(request, signal);
    }
    if (probe.grpc !== undefined) {
      const { port, service = '' } = probe.grpc;
      const { podIP: host, id: containerId } = context;
      return await context.prober.check({ containerId, host, port, timeoutMs, grpc: { service } }, signal);
    }
    if (probe.tcpSocket === undefined) return failed('probes of this type are not provided by this node');
    const port = portOf(context.template, probe.tcpSocket.port);
    if (port === undefined)
      return failed(`container ${context.template.name} has no port named ${probe.tcpSocket.port}`);
    const { host } = probe.tcpSocket;
    const target = host === undefined || host === '' ? context.podIP : host;
    return await context.prober.check({ containerId: context.id, host: target, port, timeoutMs }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return failed(messageOf(error));
  }
};

const hookRequestMs = 30_000;

/** postStart or preStop; rejects, saying why, when it fails. */
export const runHook = async (
  context: HookContext,
  handler: LifecycleHandler,
  signal: AbortSignal,
): Promise<void> => {
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    const { code, output } = await runCommand(context, command, signal);
    if (code !== 0) throw new Error(`command '${command.join(' ')}' exited with ${code}: ${output.trim()}`);
  } else if (handler.httpGet !== undefined) {
    const request = httpProbe(context, handler.httpGet, hookRequestMs);
    if (request === undefined) throw new Error(`there is no port named ${handler.httpGet.port}`);
    const { success, message } = await context.prober.check(request, signal);
    if (!success) throw new Error(message);
  } else if (handler.sleep !== undefined) await context.clock.sleep(handler.sleep.seconds * 1000, signal);
};
