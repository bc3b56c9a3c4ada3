// Why a node is full, or not: what it gives, what is asked of it, what is used, and what would still fit.
import type { Node, Pod } from '../../resources/generated/types.js';
import { addAmounts, amountsOf, podRequests } from '../../resources/pod-resources.js';
import type { Amounts } from '../../resources/pod-resources.js';
import { isPodTerminated } from '../../resources/pod-status.js';

const gibibyte = 1024 ** 3;
const mebibyte = 1024 ** 2;

const shown = (name: string, amount: number): string => {
  if (name === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  if (name !== 'memory' && name !== 'ephemeral-storage') return String(amount);
  return Math.abs(amount) >= gibibyte
    ? `${(amount / gibibyte).toFixed(1)}Gi`
    : `${Math.floor(amount / mebibyte)}Mi`;
};

const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : ` (${Math.round((100 * part) / whole)} %)`;

/** Each pod counts as one of `pods` too. */
const asked = (pods: readonly Pod[]): Amounts =>
  pods.reduce<Amounts>((sum, { spec }) => addAmounts(sum, { ...podRequests(spec), pods: 1 }), {});

/** A pod as large as the largest one there: a size that people think in. */
const typical = (pods: readonly Pod[]): Amounts | undefined => {
  const sizes = pods.map(({ spec }) => podRequests(spec)).filter(({ cpu = 0 }) => cpu > 0);
  const sorted = [...sizes].sort((a, b) => (a['cpu'] ?? 0) - (b['cpu'] ?? 0));
  return sorted[sorted.length >> 1];
};

const timesThatFit = (size: Amounts, free: Amounts): number =>
  Math.max(
    0,
    Math.min(
      free['pods'] ?? Infinity,
      ...Object.entries(size)
        .filter(([, amount]) => amount > 0)
        .map(([name, amount]) => Math.floor((free[name] ?? 0) / amount)),
    ),
  );

/** `used`: what metrics say, where there are any. */
export const nodeRoom = (node: Node, pods: readonly Pod[], used?: Amounts): readonly string[] => {
  const living = pods.filter((pod) => !isPodTerminated(pod));
  const gives = amountsOf(node.status?.allocatable);
  const requested = asked(living);
  const free: Record<string, number> = {};
  const lines = ['cpu', 'memory', 'ephemeral-storage', 'pods'].flatMap((name) => {
    const whole = gives[name];
    if (whole === undefined) return [];
    const taken = requested[name] ?? 0;
    free[name] = whole - taken;
    const usage =
      used?.[name] === undefined ? '' : `, ${shown(name, used[name])} used${percent(used[name], whole)}`;
    return [
      `${name}: ${shown(name, whole)} allocatable, ${shown(name, taken)} requested${percent(taken, whole)}${usage}, ${shown(name, whole - taken)} free`,
    ];
  });
  const size = typical(living);
  if (size === undefined) return lines;
  const words = Object.entries(size).map(([name, amount]) => `${shown(name, amount)} ${name}`);
  return [
    ...lines,
    `${timesThatFit(size, free)} more pods of the middle size here (${words.join(', ')}) would fit`,
  ];
};
