import { describe, expect, it } from 'vitest';
import { analysisruns } from '../../src/resources/kinds/analysisruns.js';
import { analysistemplates } from '../../src/resources/kinds/analysistemplates.js';
import { isPodActive, isPodReady } from '../../src/resources/pod-status.js';
import type { MetricAnswer, SendMetricRequest } from '../../src/rollouts/analysis/metric-source.js';
import { images, name, patchStatus, phase, reaches, rollout, setImage, start } from './progressive.js';
import { simulate } from './simulation.js';
import type { Simulation } from './simulation.js';
import { podsOf } from './workloads.js';

const answers =
  (next: (turn: number) => MetricAnswer | Error): SendMetricRequest =>
  () => {
    const answer = next((turns += 1));
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
let turns = 0;

const rate = (value: string): MetricAnswer => ({
  status: 200,
  body: JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: {}, value: [1, value] }] },
  }),
});

const template = async ({ cluster }: Simulation, metric: object = {}): Promise<void> => {
  const provider = {
    prometheus: { address: 'http://prometheus:9090', query: 'rate{version="{{args.version}}"}' },
  };
  await cluster.create(analysistemplates, {
    metadata: { name: 'success', namespace: 'default' },
    spec: {
      args: [{ name: 'version' }],
      metrics: [
        {
          name: 'rate',
          interval: '5s',
          count: 3,
          successCondition: 'result[0] >= 0.95',
          provider,
          ...metric,
        },
      ],
    },
  });
};

const analysis = {
  templates: [{ templateName: 'success' }],
  args: [{ name: 'version', valueFrom: { podTemplateHashValue: 'Latest' } }],
};
const byStep = {
  canary: { maxSurge: 1, maxUnavailable: 0, steps: [{ setWeight: 20 }, { analysis }, { setWeight: 60 }] },
};
const along = {
  canary: { maxSurge: 1, maxUnavailable: 0, analysis, steps: [{ setWeight: 20 }, { pause: {} }] },
};
const run = ({ truth }: Simulation) => truth.view.list(analysisruns, 'default')[0]!;

const isRestored = (simulation: Simulation): boolean =>
  images(simulation)['web:1'] === 5 &&
  podsOf(simulation).filter(isPodActive).every(isPodReady) &&
  podsOf(simulation).filter(isPodActive).length === 5;

describe('an analysis by a step', () => {
  it('that succeeds lets the rollout go on', async () => {
    await simulate({ seed: 1, metrics: answers(() => rate('0.99')) }, async (simulation) => {
      await template(simulation);
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Healthy');
      expect(images(simulation)).toEqual({ 'web:2': 5 });
      expect(run(simulation).status).toMatchObject({
        phase: 'Successful',
        metricResults: [{ name: 'rate', successful: 3, measurements: [{ value: '[0.99]' }, {}, {}] }],
      });
      expect(run(simulation).spec.args).toEqual([
        { name: 'version', value: rollout(simulation).status?.stableRS },
      ]);
    });
  });

  it('that fails gives the new version up, and every pod is of the old one again', async () => {
    await simulate({ seed: 1, metrics: answers(() => rate('0.5')) }, async (simulation) => {
      await template(simulation);
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Degraded');
      await simulation.until('the old version is whole', () => isRestored(simulation));
      expect(rollout(simulation).status?.message).toBe(
        'RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric "rate" assessed Failed due to failed (1) > failureLimit (0)',
      );
    });
  });

  it.each<[string, MetricAnswer | Error]>([
    ['is down', new Error('nothing listens there')],
    ['answers nonsense', { status: 200, body: 'all fine, promise' }],
    [
      'answers nothing',
      { status: 200, body: '{"status":"success","data":{"resultType":"vector","result":[]}}' },
    ],
  ])('whose source %s is an error after five attempts, never a promotion', async (_, answer) => {
    await simulate({ seed: 1, metrics: answers(() => answer) }, async (simulation) => {
      await template(simulation);
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Degraded');
      expect(run(simulation).status).toMatchObject({
        phase: 'Error',
        metricResults: [{ consecutiveError: 5 }],
      });
      await simulation.until('the old version is whole', () => isRestored(simulation));
    });
  });

  it('without a verdict waits for a person, and is done again when waved on', async () => {
    let value = '0.9';
    await simulate({ seed: 1, metrics: answers(() => rate(value)) }, async (simulation) => {
      await template(simulation, { failureCondition: 'result[0] < 0.5' });
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      expect(rollout(simulation).status?.pauseConditions).toMatchObject([
        { reason: 'InconclusiveAnalysisRun' },
      ]);
      value = '0.99';
      await patchStatus(simulation, { pauseConditions: null });
      await reaches(simulation, 'Healthy');
      expect(simulation.truth.view.list(analysisruns, 'default')).toHaveLength(2);
    });
  });

  it('whose template is not there says so, and begins when it is', async () => {
    await simulate({ seed: 1, metrics: answers(() => rate('1')) }, async (simulation) => {
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Degraded');
      expect(rollout(simulation).status?.message).toBe('InvalidSpec: AnalysisTemplate "success" not found');
      await template(simulation);
      await reaches(simulation, 'Healthy');
    });
  });

  it('goes on with its run wherever the master is killed', async () => {
    await simulate({ seed: 3, metrics: answers(() => rate('0.99')) }, async (simulation) => {
      await template(simulation);
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      for (let kill = 0; kill < 8; kill += 1) {
        await simulation.advance(simulation.random() * 3000);
        await simulation.stopMaster();
        await simulation.advance(simulation.random() * 1000);
        simulation.startMaster();
      }
      await reaches(simulation, 'Healthy');
      expect(simulation.truth.view.list(analysisruns, 'default')).toHaveLength(1);
    });
  });
});

describe('an analysis along with the steps', () => {
  it('gives the new version up even while it pauses', async () => {
    let value = '0.99';
    await simulate({ seed: 1, metrics: answers(() => rate(value)) }, async (simulation) => {
      await template(simulation, { count: 100 });
      await start(simulation, along);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      await simulation.advance(20_000);
      expect(phase(simulation)).toBe('Paused');
      value = '0.2';
      await reaches(simulation, 'Degraded');
      expect(rollout(simulation).status?.abortMessage).toMatch(
        /^Background analysis phase error\/failed: Metric "rate"/,
      );
      await simulation.until('the old version is whole', () => isRestored(simulation));
    });
  });

  it('ends with the rollout', async () => {
    await simulate({ seed: 1, metrics: answers(() => rate('0.99')) }, async (simulation) => {
      await template(simulation, { count: 100 });
      await start(simulation, along);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      await patchStatus(simulation, { pauseConditions: null });
      await reaches(simulation, 'Healthy');
      await simulation.until('the run has ended', () => run(simulation).status?.phase === 'Successful');
      expect(run(simulation).spec.terminate).toBe(true);
    });
  });

  it('by the cluster itself sees pods that restart', async () => {
    await simulate({ seed: 1 }, async (simulation) => {
      const provider = { capstan: { podTemplateHash: '{{args.version}}' } };
      await template(simulation, {
        provider,
        successCondition: 'result.restarts == 0 && result.ready == result.pods',
        count: 3,
      });
      await start(simulation, byStep);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Healthy');
      expect(
        JSON.parse(run(simulation).status?.metricResults?.[0]?.measurements?.[0]?.value ?? ''),
      ).toMatchObject({ pods: 1, ready: 1, restarts: 0 });
    });
  });
});

it('a dry run counts for nothing', async () => {
  await simulate({ seed: 1, metrics: answers(() => rate('0.1')) }, async (simulation) => {
    await template(simulation);
    const dry = { ...analysis, dryRun: [{ metricName: 'ra.*' }] };
    await start(simulation, { canary: { steps: [{ setWeight: 20 }, { analysis: dry }] } });
    await setImage(simulation, 'web:2');
    await reaches(simulation, 'Healthy');
    expect(run(simulation).status).toMatchObject({ phase: 'Successful', dryRunSummary: { failed: 1 } });
    expect(name.name).toBe('web');
  });
});
