// Lets packets of pods pass where the machine forwards nothing by default, as Docker sets it up: an ACCEPT of another
// table does not count there, so there is one chain of Capstan's own in that very table, and one jump to it.
import { hasCode } from '../../base/errors.js';
import type { Commands } from './commands.js';

export interface Forwarding {
  /** Nothing is written on a machine that forwards anyway. */
  apply(podCidr: string, signal: AbortSignal): Promise<void>;
  /** Whether what is needed is there. */
  check(podCidr: string, signal: AbortSignal): Promise<boolean>;
  remove(signal: AbortSignal): Promise<void>;
}

/** Other programs hold the lock for moments. */
const iptables = (...args: readonly string[]): readonly string[] => ['-w', '5', ...args];

interface Seen {
  /** Where the jump stands, or belongs. Docker asks for rules of others in a chain that it never flushes. */
  readonly from: 'DOCKER-USER' | 'FORWARD';
  /** Something here may drop what is forwarded. */
  readonly needed: boolean;
  readonly rules: readonly string[];
}

const accepts = (chain: string, podCidr: string): readonly string[] => [
  `-A ${chain} -s ${podCidr} -j ACCEPT`,
  `-A ${chain} -d ${podCidr} -j ACCEPT`,
];

export const createForwarding = (commands: Commands, chain: string): Forwarding => {
  /** Undefined where there is no iptables: then nobody has set a policy with it. */
  const look = async (signal: AbortSignal): Promise<Seen | undefined> => {
    try {
      const rules = (await commands.run('iptables', iptables('-S'), { signal })).split('\n');
      const docker = rules.includes('-N DOCKER-USER');
      return {
        from: docker ? 'DOCKER-USER' : 'FORWARD',
        needed: docker || rules.includes('-P FORWARD DROP'),
        rules,
      };
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  };
  const isThere = ({ from, rules }: Seen, podCidr: string): boolean =>
    [`-A ${from} -j ${chain}`, ...accepts(chain, podCidr)].every((rule) => rules.includes(rule)) &&
    rules.filter((rule) => rule.startsWith(`-A ${chain} `)).length === 2;
  const run = (signal: AbortSignal, ...args: readonly string[]): Promise<unknown> =>
    commands.run('iptables', iptables(...args), { signal });

  return {
    apply: async (podCidr, signal) => {
      const seen = await look(signal);
      if (seen?.needed !== true || isThere(seen, podCidr)) return;
      const { from, rules } = seen;
      await run(signal, ...(rules.includes(`-N ${chain}`) ? ['-F', chain] : ['-N', chain]));
      for (const rule of accepts(chain, podCidr)) await run(signal, ...rule.split(' '));
      if (!rules.includes(`-A ${from} -j ${chain}`)) await run(signal, '-I', from, '1', '-j', chain);
    },
    check: async (podCidr, signal) => {
      const seen = await look(signal);
      return seen?.needed !== true || isThere(seen, podCidr);
    },
    remove: async (signal) => {
      const seen = await look(signal);
      if (seen?.rules.includes(`-N ${chain}`) !== true) return;
      for (const rule of seen.rules)
        if (rule.endsWith(` -j ${chain}`)) await run(signal, '-D', ...rule.split(' ').slice(1));
      await run(signal, '-F', chain);
      await run(signal, '-X', chain);
    },
  };
};
