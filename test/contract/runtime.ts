// What every Runtime does, simulated or real: one suite for all.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterError } from '../../src/base/errors.js';
import type { Container, ContainerEvent, ContainerSpec, Runtime } from '../../src/node/runtime.js';
import { label } from '../../src/node/labels.js';

export interface RuntimeSubject {
  readonly runtime: Runtime;
  /** An image that is there, with a shell, echo and sleep. */
  readonly image: string;
  /** A subnet for sandboxes: `10.201.0`. */
  readonly network: string;
  close(): Promise<void>;
}

const text = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const rejection = async (promise: Promise<unknown>): Promise<ClusterError> => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ClusterError) return error;
    throw error;
  }
  throw new Error('this should have been refused');
};

export const describeRuntime = (name: string, open: () => Promise<RuntimeSubject>): void => {
  describe(`a runtime: ${name}`, () => {
    let subject: RuntimeSubject;
    let runtime: Runtime;
    let abort: AbortController;
    let signal: AbortSignal;
    let number = 0;

    beforeAll(async () => {
      subject = await open();
      runtime = subject.runtime;
    });
    afterAll(() => subject.close());
    beforeEach(() => {
      abort = new AbortController();
      signal = abort.signal;
    });
    afterEach(async () => {
      const cleaning = new AbortController().signal;
      for (const { id } of await runtime.list(cleaning)) await runtime.remove(id, cleaning);
      abort.abort();
    });

    const sandbox = (address: number): ContainerSpec => {
      number += 1;
      return {
        name: `contract-sandbox-${number}`,
        image: '',
        labels: { [label.kind]: 'sandbox', [label.podUid]: 'uid-1' },
        network: {
          type: 'pod',
          address: `${subject.network}.${address}`,
          subnet: `${subject.network}.0/24`,
          gateway: `${subject.network}.1`,
          hostname: 'web-1',
          hostPorts: [],
        },
        environment: {},
        mounts: [],
      };
    };

    const joining = ({ id }: Container, script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => {
      number += 1;
      return {
        name: `contract-app-${number}`,
        image: subject.image,
        labels: { [label.kind]: 'container', [label.podUid]: 'uid-1', [label.container]: 'app' },
        network: { type: 'join', sandbox: id },
        command: ['/bin/sh', '-c'],
        args: [script],
        environment: {},
        mounts: [],
        ...more,
      };
    };

    const startSandbox = async (address = 10): Promise<Container> => {
      const created = await runtime.create(sandbox(address), signal);
      return runtime.start(created.id, signal);
    };

    const run = async (script: string, more: Partial<ContainerSpec> = {}): Promise<Container> => {
      const created = await runtime.create(joining(await startSandbox(), script, more), signal);
      return runtime.start(created.id, signal);
    };

    const ended = async (id: string): Promise<Container> => {
      for (let attempt = 0; attempt < 500; attempt += 1) {
        const found = (await runtime.list(signal)).find((container) => container.id === id);
        if (found?.state === 'exited') return found;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error('the container did not end');
    };

    it('lists what it made, with labels and times', async () => {
      const { id } = await run('sleep 1000');
      const listed = await runtime.list(signal);
      expect(listed).toHaveLength(2);
      const app = listed.find((container) => container.id === id)!;
      expect(app).toMatchObject({ state: 'running', image: subject.image });
      expect(app.labels).toMatchObject({ [label.podUid]: 'uid-1', [label.container]: 'app' });
      expect(app.startedAt! - app.createdAt).toBeLessThan(30_000);
      expect(app.imageId).toMatch(/^sha256:/);
    });

    it('a created container does not run until it is started', async () => {
      const created = await runtime.create(sandbox(11), signal);
      expect(created.state).toBe('created');
      expect((await runtime.list(signal)).map(({ state }) => state)).toEqual(['created']);
      expect((await runtime.start(created.id, signal)).state).toBe('running');
    });

    it('creating under a taken name answers with the container that has it', async () => {
      const spec = sandbox(12);
      const first = await runtime.create(spec, signal);
      const second = await runtime.create(spec, signal);
      expect(second.id).toBe(first.id);
      expect(await runtime.list(signal)).toHaveLength(1);
    });

    it('starting what runs changes nothing', async () => {
      const first = await startSandbox();
      expect((await runtime.start(first.id, signal)).startedAt).toBe(first.startedAt);
    });

    it('reports the exit code of a program that ends', async () => {
      const { id } = await run('exit 3');
      const container = await ended(id);
      expect(container.exitCode).toBe(3);
      expect(container.finishedAt).toBeGreaterThanOrEqual(container.startedAt!);
    });

    it('a stop without grace kills', async () => {
      const { id } = await run('sleep 1000');
      const container = await runtime.stop(id, 0, signal);
      expect(container).toMatchObject({ state: 'exited', exitCode: 137 });
    });

    it('stopping what has ended answers with it', async () => {
      const { id } = await run('exit 4');
      await ended(id);
      expect(await runtime.stop(id, 5, signal)).toMatchObject({ state: 'exited', exitCode: 4 });
    });

    it('removing a running container kills it, removing it again is no error', async () => {
      const { id } = await run('sleep 1000');
      await runtime.remove(id, signal);
      await runtime.remove(id, signal);
      expect((await runtime.list(signal)).map((container) => container.id)).not.toContain(id);
    });

    it('starting or stopping what does not exist is NotFound', async () => {
      expect((await rejection(runtime.start('0123456789abcdef', signal))).code).toBe('NotFound');
      expect((await rejection(runtime.stop('0123456789abcdef', 1, signal))).code).toBe('NotFound');
    });

    it('an image that is there is not fetched', async () => {
      const pulled = await runtime.pull({ image: subject.image, policy: 'IfNotPresent' }, signal);
      expect(pulled.pulled).toBe(false);
      expect(pulled.imageId).toMatch(/^sha256:/);
    });

    it('an image that is missing is refused by name, whatever the policy', async () => {
      const image = 'localhost:1/no/such-image:9';
      for (const policy of ['IfNotPresent', 'Always', 'Never'] as const) {
        const error = await rejection(runtime.pull({ image, policy }, signal));
        expect(error.code).toBe('NotFound');
        expect(error.message).toContain(image);
      }
    });

    it('logs hold what was written, from the end, with limits and times', async () => {
      const { id } = await run('echo one; echo two; echo three');
      await ended(id);
      const plain = { follow: false, timestamps: false };
      expect(await text(runtime.logs(id, plain, signal))).toBe('one\ntwo\nthree\n');
      expect(await text(runtime.logs(id, { ...plain, tail: 1 }, signal))).toBe('three\n');
      expect(await text(runtime.logs(id, { ...plain, tail: 0 }, signal))).toBe('');
      expect(await text(runtime.logs(id, { ...plain, limitBytes: 5 }, signal))).toBe('one\nt');
      expect(await text(runtime.logs(id, { ...plain, timestamps: true, tail: 1 }, signal))).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z three\n$/,
      );
      const later = Date.now() + 60_000;
      expect(await text(runtime.logs(id, { ...plain, since: later }, signal))).toBe('');
    });

    it('a followed log goes on until the program ends', async () => {
      const { id } = await run('echo before; sleep 0.3; echo after');
      expect(await text(runtime.logs(id, { follow: true, timestamps: false }, signal))).toBe(
        'before\nafter\n',
      );
    });

    it('an aborted log ends at once', async () => {
      const { id } = await run('echo here; sleep 1000');
      const reading = new AbortController();
      const lines = runtime
        .logs(id, { follow: true, timestamps: false }, reading.signal)
        [Symbol.asyncIterator]();
      expect(Buffer.from((await lines.next()).value as Uint8Array).toString()).toBe('here\n');
      const next = lines.next();
      reading.abort();
      await expect(next).rejects.toThrow();
    });

    it('runs a command in a container: both streams and the exit code', async () => {
      const { id } = await run('sleep 1000');
      const command = ['/bin/sh', '-c', 'echo out; echo err >&2; exit 7'];
      const { output, exitCode } = await runtime.exec(id, { command, tty: false }, signal);
      const written = { stdout: '', stderr: '' };
      for await (const { stream, data } of output) written[stream] += Buffer.from(data).toString();
      expect(written).toEqual({ stdout: 'out\n', stderr: 'err\n' });
      expect(await exitCode).toBe(7);
    });

    it('tells of starts, ends and removals, and says first that it listens', async () => {
      const seen: string[] = [];
      const stream = runtime.events(signal)[Symbol.asyncIterator]();
      expect((await stream.next()).value).toEqual({ type: 'ready' });
      const { id } = await run('exit 2');
      const of = (event: ContainerEvent): string | undefined => {
        if (event.type === 'removed') return event.id === id ? 'removed' : undefined;
        if (event.type === 'ready' || event.container.id !== id) return undefined;
        return `${event.container.state}${event.container.exitCode === undefined ? '' : ` ${event.container.exitCode}`}`;
      };
      let removing = false;
      while (seen.at(-1) !== 'removed') {
        const { value } = (await stream.next()) as { value: ContainerEvent };
        const what = of(value);
        if (what !== undefined) seen.push(what);
        if (what === 'exited 2' && !removing) {
          removing = true;
          await runtime.remove(id, signal);
        }
      }
      // A program that ends at once may be seen ended already when its start is told.
      expect(seen.filter((what, index) => what !== seen[index - 1]).slice(-2)).toEqual([
        'exited 2',
        'removed',
      ]);
      await stream.return?.();
    });

    it('knows what a container consumes', async () => {
      const { id } = await run('sleep 1000');
      const stats = await runtime.stats(id, { disk: true }, signal);
      expect(stats.cpuNanos).toBeGreaterThanOrEqual(0);
      expect(stats.workingSetBytes).toBeGreaterThanOrEqual(0);
      expect(stats.at).toBeGreaterThan(Date.UTC(2020, 0));
      expect(stats.diskBytes).toBeGreaterThanOrEqual(0);
      expect(await runtime.stats(id, { disk: false }, signal)).not.toHaveProperty('diskBytes');
    });

    it('an aborted signal ends the wait for a stop', async () => {
      const { id } = await run('sleep 1000', {
        annotations: { 'hollow.capstan.dev/stop-delay': '100s' },
      });
      const stopping = new AbortController();
      const stop = runtime.stop(id, 100, stopping.signal);
      setTimeout(() => stopping.abort(), 50);
      await expect(stop).rejects.toThrow();
    });
  });
};
