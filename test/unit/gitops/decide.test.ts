import { describe, expect, it } from 'vitest';
import { applicationDefaults } from '../../../src/gitops/cluster-config.js';
import { nextStep, type Facts } from '../../../src/gitops/decide.js';

const now = Date.UTC(2026, 0, 5, 12, 0);
const spec = applicationDefaults('web', 'web');
const old = 'a'.repeat(40);
const fresh = 'b'.repeat(40);
const problem = { file: 'web/a.yaml', line: 3, column: 5, message: 'this is not valid YAML' };

const calm: Facts = {
  name: 'web',
  spec,
  head: { revision: fresh, problems: [] },
  target: { revision: fresh, isNew: false },
  unsettled: 0,
  held: [],
  gone: 0,
  drifted: 0,
  failed: undefined,
  retryRefusedAt: undefined,
  dependencies: [],
  health: { degraded: [], progressing: [], failure: undefined },
  rollback: 'commit',
  healthyRevision: old,
  rolledBack: undefined,
};
const failing: Facts = {
  ...calm,
  health: { degraded: ['Deployment web stuck'], progressing: [], failure: 'Deployment web stuck' },
};

describe('the next step of an application', () => {
  it('is nothing when everything is as it should be', () => {
    expect(nextStep(calm, now)).toEqual({ next: 'nothing', phase: 'Healthy', message: 'runs bbbbbbbb' });
  });

  it('is to carry a new revision out', () => {
    expect(nextStep({ ...calm, target: { revision: fresh, isNew: true }, unsettled: 1 }, now)).toMatchObject({
      next: 'sync',
    });
  });

  it('is to wait for what it depends on, but not with healing', () => {
    const waiting = {
      ...calm,
      unsettled: 1,
      dependencies: [{ name: 'infra', ready: false, message: 'is Failed' }],
    };
    expect(nextStep({ ...waiting, target: { revision: fresh, isNew: true } }, now)).toEqual({
      next: 'nothing',
      phase: 'Progressing',
      message: 'waits for infra (is Failed)',
    });
    expect(nextStep(waiting, now).next).toBe('heal');
  });

  it('is to wait for the window, and to wake when it opens', () => {
    const windows = [{ allow: '0 18 * * *', durationMs: 3_600_000, timeZone: 'UTC' }];
    const held = nextStep(
      { ...calm, spec: { ...spec, windows }, target: { revision: fresh, isNew: true } },
      now,
    );
    expect(held).toEqual({
      next: 'nothing',
      phase: 'Held',
      message: 'waits for its window, which opens at 2026-01-05 18:00 UTC',
      wakeAt: Date.UTC(2026, 0, 5, 18, 0),
    });
  });

  it('is to report drift only, where selfHeal is off', () => {
    expect(nextStep({ ...calm, spec: { ...spec, selfHeal: false }, unsettled: 1 }, now).next).toBe(
      'report-drift',
    );
  });

  it('is to keep the last good revision as it was while the head has errors', () => {
    const invalid = {
      ...calm,
      head: { revision: fresh, problems: [problem] },
      target: { revision: old, isNew: false },
    };
    expect(nextStep(invalid, now)).toMatchObject({
      next: 'nothing',
      phase: 'Failed',
      message: 'bbbbbbbb has 1 error, aaaaaaaa keeps running: web/a.yaml:3:5: this is not valid YAML',
    });
    expect(nextStep({ ...invalid, unsettled: 1 }, now)).toMatchObject({ next: 'heal', phase: 'Failed' });
  });

  it('is to try a revision again that the API server refused, when its time has come', () => {
    const refused = { ...calm, head: { revision: fresh, problems: [problem] }, retryRefusedAt: now + 60_000 };
    expect(nextStep(refused, now)).toMatchObject({ next: 'nothing', phase: 'Failed', wakeAt: now + 60_000 });
    expect(nextStep(refused, now + 60_000).next).toBe('try-again');
  });

  it('is to try again after a failure, but not before its time', () => {
    const failed = { revision: fresh, problems: [problem], attempts: 1, retryAt: now + 500 };
    const facts = { ...calm, unsettled: 1, failed };
    expect(nextStep(facts, now)).toMatchObject({ next: 'nothing', phase: 'Failed', wakeAt: now + 500 });
    expect(nextStep(facts, now + 500).next).toBe('heal');
  });

  it('is to roll back what failed for good', () => {
    expect(nextStep(failing, now)).toMatchObject({ next: 'roll-back', message: 'Deployment web stuck' });
  });

  it.each<[string, Partial<Facts>, RegExp]>([
    ['where onFailure is hold', { spec: { ...spec, onFailure: 'hold' } }, /it is held as it is: push a fix/],
    ['where nothing may be written', { rollback: 'none' }, /it is held as it is/],
    [
      'twice',
      { rolledBack: { revision: fresh, reason: 'was rolled back to aaaaaaaa' } },
      /was rolled back to aaaaaaaa/,
    ],
    ['to nowhere', { healthyRevision: undefined }, /no earlier healthy revision/],
    ['to the revision that it is at', { healthyRevision: fresh }, /no earlier healthy revision/],
    ['while a newer revision is on its way', { head: { revision: 'c'.repeat(40), problems: [] } }, /stuck/],
  ])('never is to roll back %s', (_, facts, message) => {
    const step = nextStep({ ...failing, ...facts }, now);
    expect(step.next).toBe('nothing');
    expect(step.message).toMatch(message);
  });

  it('is to delete what has left the repository, and then to forget it', () => {
    expect(nextStep({ ...calm, spec: undefined, gone: 2 }, now).next).toBe('remove');
    expect(nextStep({ ...calm, spec: undefined }, now).next).toBe('forget');
  });
});
