import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../../../src/apiserver/authorize/attributes.js';
import { FairQueues } from '../../../../src/apiserver/fairness/fair-queues.js';
import { Fairness } from '../../../../src/apiserver/fairness/fairness.js';
import type { Leave } from '../../../../src/apiserver/fairness/fairness.js';
import { flowOf } from '../../../../src/apiserver/fairness/levels.js';
import { ManualClock } from '../../../../src/base/manual-clock.js';
import { turn } from '../../../../src/host/system-clock.js';
import { makeRequest } from '../front-request.js';

const wants = (verb: string, group: string, resource: string): Attributes => ({
  type: 'resource',
  verb,
  group,
  resource,
  subresource: '',
  namespace: 'default',
  name: '',
});
const pods = wants('create', '', 'pods');
const lease = wants('update', 'coordination.k8s.io', 'leases');
const someone = (user: string) => ({ user, groups: ['system:authenticated'] });
const agent = { user: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };

describe('the priority level of a request', () => {
  it.each([
    [agent, lease, 'node-high'],
    [agent, wants('patch', '', 'nodes'), 'node-high'],
    [agent, wants('list', '', 'pods'), 'system'],
    [someone('system:kube-scheduler'), lease, 'leader-election'],
    [someone('system:serviceaccount:kube-system:dns'), pods, 'workload-high'],
    [someone('system:serviceaccount:shop:robot'), pods, 'workload-low'],
    [someone('anna'), pods, 'global-default'],
    [{ user: 'system:anonymous', groups: ['system:unauthenticated'] }, pods, 'catch-all'],
    [{ user: 'root', groups: ['system:masters'] }, pods, 'administrators'],
  ])('of %j', (identity, wanted, level) => {
    expect(flowOf(identity, wanted, undefined).level.name).toBe(level);
  });

  it("takes the programs that share the administrator's certificate for clients of their own", () => {
    const root = { user: 'root', groups: ['system:masters'] };
    const clients = ['kubectl/v1.31', 'kubectl/v1.27', 'bench/1'].map(
      (agentOf) => flowOf(root, pods, agentOf).client,
    );
    expect(new Set(clients)).toEqual(new Set(['root kubectl', 'root bench']));
  });
});

describe('fair queues', () => {
  it('serve flows in turns, however many requests one of them has', () => {
    const queues = new FairQueues({ seats: 1, queueLength: 100 });
    const served: string[] = [];
    expect(queues.tryTake('flood', 1)).toBe(true);
    for (let n = 0; n < 50; n += 1)
      queues.enqueue({ client: 'flood', width: 1, start: () => served.push('flood') });
    for (let n = 0; n < 3; n += 1)
      queues.enqueue({ client: 'small', width: 1, start: () => served.push('small') });
    while (queues.waiting > 0) {
      queues.free(1);
      queues.dispatch();
    }
    expect(served.indexOf('small')).toBeLessThan(2);
    expect(served.lastIndexOf('small')).toBeLessThan(6);
    expect(served).toHaveLength(53);
  });

  it('weigh requests by their width', () => {
    const queues = new FairQueues({ seats: 10, queueLength: 100 });
    const served: string[] = [];
    queues.tryTake('first', 10);
    for (let n = 0; n < 20; n += 1) {
      queues.enqueue({ client: 'wide', width: 10, start: () => served.push('wide') });
      queues.enqueue({ client: 'narrow', width: 1, start: () => served.push('narrow') });
    }
    let held: number[] = [10];
    for (let round = 0; round < 6; round += 1) {
      for (const width of held) queues.free(width);
      const before = served.length;
      queues.dispatch();
      held = served.slice(before).map((name) => (name === 'wide' ? 10 : 1));
    }
    const wide = served.filter((name) => name === 'wide').length;
    expect(served.length - wide, 'about ten narrow requests for a wide one').toBeGreaterThan(wide * 4);
  });

  it('never give out more seats than there are, and never lose one (seeded)', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      let state = seed;
      const random = (below: number): number => (state = (state * 48271) % 2147483647) % below;
      const queues = new FairQueues({ seats: 8, queueLength: 5 });
      const running: number[] = [];
      for (let step = 0; step < 500; step += 1) {
        const width = 1 + random(4);
        if (random(2) === 0) {
          const client = `c${String(random(6))}`;
          if (queues.tryTake(client, width)) running.push(width);
          else queues.enqueue({ client, width, start: () => running.push(width) });
        } else {
          const done = running.splice(random(Math.max(1, running.length)), 1)[0];
          if (done !== undefined) queues.free(done);
          queues.dispatch();
        }
        const taken = running.reduce((sum, each) => sum + each, 0);
        expect(queues.taken, `seed ${String(seed)}`).toBe(taken);
        expect(taken, `seed ${String(seed)}`).toBeLessThanOrEqual(8);
      }
      while (running.length > 0) {
        queues.free(running.pop()!);
        queues.dispatch();
      }
      expect([queues.taken, queues.waiting], `seed ${String(seed)}`).toEqual([0, 0]);
    }
  });
});

describe('fairness', () => {
  const level = { name: 'global-default', seats: 2, queueLength: 3 };
  const make = (longLived?: number) => {
    const clock = new ManualClock();
    return { clock, fairness: new Fairness({ clock, turn, longLived, levels: { [level.name]: level } }) };
  };
  const anna = someone('anna');

  it('lets in as many as there are seats, then one for each that leaves', async () => {
    const { fairness } = make();
    const enter = () => fairness.enter(anna, pods, { request: makeRequest('/') });
    const [first, second] = [enter(), enter()] as Leave[];
    const third = enter();
    expect(third).toBeInstanceOf(Promise);
    expect(fairness.figures()).toEqual([{ level: 'global-default', executing: 2, waiting: 1 }]);
    first?.();
    first?.();
    const leave = await third;
    expect(fairness.figures()).toEqual([{ level: 'global-default', executing: 2, waiting: 0 }]);
    leave();
    second?.();
    expect(fairness.figures()).toEqual([{ level: 'global-default', executing: 0, waiting: 0 }]);
  });

  it('tells who floods to come back later, and takes others in', async () => {
    const { fairness } = make();
    const enter = (user: string) => fairness.enter(someone(user), pods, { request: makeRequest('/') });
    const held = [enter('flood'), enter('flood')] as Leave[];
    const waiting = [enter('flood'), enter('flood'), enter('flood')];
    await expect(enter('flood')).rejects.toMatchObject({ code: 'TooManyRequests', retryAfterSeconds: 1 });
    const other = enter('anna');
    for (const leave of held) leave();
    (await other)();
    for (const each of waiting) (await each)();
    expect(fairness.rejected()).toEqual(new Map([['global-default', 1]]));
  });

  it('sends away who waits too long, and forgets who goes away', async () => {
    const { fairness, clock } = make();
    const over = new AbortController();
    const running = fairness.run(over.signal).catch(() => undefined);
    const held = [0, 1].map(() => fairness.enter(anna, pods, { request: makeRequest('/') })) as Leave[];
    const gone = new AbortController();
    const leaver = fairness.enter(anna, pods, { request: makeRequest('/', { signal: gone.signal }) });
    const patient = Promise.resolve(fairness.enter(anna, pods, { request: makeRequest('/') }));
    gone.abort(new Error('the client went away'));
    await expect(leaver).rejects.toThrow('the client went away');
    const refused = expect(patient).rejects.toMatchObject({ code: 'TooManyRequests' });
    for (let second = 0; second < 17; second += 1) await clock.advance(1000, turn);
    await refused;
    for (const leave of held) leave();
    expect(fairness.figures()).toEqual([{ level: 'global-default', executing: 0, waiting: 0 }]);
    over.abort();
    await running;
  });

  it('takes a list for as wide as the last one of its kind was', async () => {
    const { fairness } = make();
    const list = wants('list', '', 'pods');
    const enter = () => fairness.enter(anna, list, { request: makeRequest('/api/v1/pods') });
    const first = enter() as Leave;
    first({ status: 200, headers: {}, body: [new Uint8Array(2 * 1024 * 1024)] });
    const wide = enter() as Leave;
    expect(fairness.figures()[0]?.executing).toBe(2);
    const next = enter();
    wide({ status: 200, headers: {}, body: [new Uint8Array(10)] });
    (await next)();
  });

  it('counts what is long-lived for each client', () => {
    const { fairness } = make(2);
    const over = new AbortController();
    const hold = (user: string) =>
      fairness.hold(someone(user), wants('watch', '', 'pods'), {
        request: makeRequest('/', { signal: over.signal }),
      });
    hold('anna');
    hold('anna');
    expect(() => hold('anna')).toThrow('2 watches and streams of anna are open already');
    hold('ben');
    over.abort();
    const later = new AbortController();
    fairness.hold(anna, pods, { request: makeRequest('/', { signal: later.signal }) });
    later.abort();
  });
});
