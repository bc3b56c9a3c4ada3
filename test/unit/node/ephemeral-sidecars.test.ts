// Containers beside the main ones: sidecars in the order of their lives, and those for debugging.
import { describe, expect, it } from 'vitest';
import { podStatus } from '../../../src/node/pod-status.js';
import { app, ended, now, observed, pod, sandbox, step } from './pod-picture-setup.js';

const sidecar = (name: string) => ({ name, image: 'web:1', restartPolicy: 'Always' });
const job = pod({ restartPolicy: 'Never', initContainers: [sidecar('one'), sidecar('two')] });
const status = (of: typeof job, containers: ReturnType<typeof app>[]) =>
  podStatus(observed({ pod: of, containers }), now, { engine: 'docker' }).status;

describe('sidecars', () => {
  it('stop when everything that they serve has ended, the last one first', () => {
    const all = [sandbox(), app('one'), app('two'), ended('web', 0)];
    expect(step({ pod: job, containers: all }).does).toEqual(['stopContainer two-0']);
    const next = [sandbox(), app('one'), ended('two', 143), ended('web', 0)];
    expect(step({ pod: job, containers: next }).does).toEqual(['stopContainer one-0']);
  });
  it('keep the pod running until they have ended, and do not decide how it ended', () => {
    expect(status(job, [sandbox(), app('one'), app('two'), ended('web', 0)]).phase).toBe('Running');
    expect(status(job, [sandbox(), ended('one', 137), ended('two', 143), ended('web', 0)]).phase).toBe(
      'Succeeded',
    );
    expect(status(job, [sandbox(), ended('one', 0), ended('two', 0), ended('web', 1)]).phase).toBe('Failed');
  });
  it('are started again while something runs', () => {
    const crashed = ended('one', 1, { finishedAt: now - 60_000 });
    expect(step({ pod: job, containers: [sandbox(), crashed, app('two'), app('web')] }).does).toEqual([
      'startContainer one',
    ]);
  });
  it('of a deleted pod stop after the others, in reverse order', () => {
    const deleted = pod(
      { initContainers: [sidecar('one'), sidecar('two')] },
      {
        deletionTimestamp: '2026-01-01T12:00:30Z',
        deletionGracePeriodSeconds: 30,
      },
    );
    const does = (containers: ReturnType<typeof app>[]) => step({ pod: deleted, containers }).does;
    expect(does([sandbox(), app('one'), app('two'), app('web')])).toEqual(['stopContainer web-0']);
    expect(does([sandbox(), app('one'), app('two'), ended('web', 0)])).toEqual(['stopContainer two-0']);
    expect(does([sandbox(), app('one'), ended('two', 0), ended('web', 0)])).toEqual(['stopContainer one-0']);
  });
});

describe('a container for debugging', () => {
  const debugger_ = { name: 'debugger', image: 'web:1' };
  const debugged = pod({
    ephemeralContainers: [debugger_],
    initContainers: [{ name: 'init', image: 'web:1' }],
  });
  it('starts although the pod is not initialized', () => {
    expect(step({ pod: debugged, containers: [sandbox(), app('init')] }).does).toEqual([
      'startContainer debugger',
    ]);
  });
  it('runs once, whatever becomes of it', () => {
    const containers = [sandbox(), ended('init', 0), app('web'), ended('debugger', 1, { finishedAt: 0 })];
    expect(step({ pod: debugged, containers }).does).toEqual([]);
    const removed = pod(debugged.spec);
    const known = status(debugged, containers);
    expect(step({ pod: { ...removed, status: known }, containers: containers.slice(0, 3) }).does).toEqual([]);
  });
  it('has a status of its own, and neither its end nor its life counts for the pod', () => {
    const shown = status(debugged, [sandbox(), ended('init', 0), app('web'), ended('debugger', 1)]);
    expect(shown.phase).toBe('Running');
    expect(shown.ephemeralContainerStatuses?.[0]).toMatchObject({
      name: 'debugger',
      state: { terminated: { exitCode: 1 } },
    });
    expect(shown.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect(shown.containerStatuses).toHaveLength(1);
  });
});
