// What the commands for rollouts share: which rollout is meant, and a change of its status.
import type { Cluster } from '../client/cluster.js';
import type { Rollout, RolloutStatus } from '../resources/generated/types.js';
import { rollouts } from '../resources/kinds/rollouts.js';
import { nameOf } from '../resources/resource.js';
import type { ObjectName } from '../resources/resource.js';
import { stepsOf } from '../resources/rollouts/strategy-of.js';
import { UsageError, type CliCommand, type CliContext, type ExitCode, type Invocation } from './command.js';
import { connect, connectionOptions } from './connect.js';

/** Members that are null are taken away. */
export type StatusPatch = { readonly [K in keyof RolloutStatus]?: RolloutStatus[K] | null };

export interface RolloutChange {
  readonly status?: StatusPatch;
  readonly spec?: { readonly paused: boolean };
  /** What was done, for people. */
  readonly told: string;
}

export interface RolloutCommand extends Pick<CliCommand, 'name' | 'summary' | 'example' | 'options'> {
  /** Throws UsageError or ClusterError where there is nothing to do. */
  change(rollout: Rollout, invocation: Invocation): RolloutChange;
}

const targetOf = ({ args, options }: Invocation): ObjectName => {
  const [text = ''] = args;
  const name = text.replace(/^(?:ro|rollouts?(?:\.argoproj\.io)?)\//, '');
  if (name === '' || name.includes('/')) throw new UsageError(`${text} does not name a rollout`);
  return { name, namespace: typeof options['namespace'] === 'string' ? options['namespace'] : 'default' };
};

/** `step 2 of 4`, or nothing for a rollout without steps. */
export const placeOf = ({ spec, status }: Rollout): string => {
  const { length } = stepsOf(spec);
  if (length === 0) return '';
  return ` at step ${String(Math.min((status?.currentStepIndex ?? 0) + 1, length))} of ${String(length)}`;
};

const apply = async (cluster: Cluster, rollout: Rollout, { spec, status }: RolloutChange): Promise<void> => {
  if (spec !== undefined) await cluster.patch(rollouts, nameOf(rollout), { type: 'merge', patch: { spec } });
  if (status !== undefined)
    await cluster.patch(
      rollouts,
      nameOf(rollout),
      { type: 'merge', patch: { status } },
      { subresource: 'status' },
    );
};

export const rolloutCommand = ({ change, options, ...rest }: RolloutCommand): CliCommand => ({
  ...rest,
  usage: '<rollout>',
  options: (program) => {
    connectionOptions(program);
    program.option('-n, --namespace <NAMESPACE>', 'namespace of the rollout', 'default');
    options?.(program);
  },
  run: async (invocation: Invocation, context: CliContext): Promise<ExitCode> => {
    const target = targetOf(invocation);
    const remote = await connect(invocation, context);
    try {
      const rollout = await remote.cluster.get(rollouts, target);
      const made = change(rollout, invocation);
      await apply(remote.cluster, rollout, made);
      context.output.line(made.told);
      return 0;
    } finally {
      remote.close();
    }
  },
});
