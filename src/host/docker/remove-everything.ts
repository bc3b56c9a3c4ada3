// Takes everything of one installation out of an engine: for `capstan down` and `capstan reset`.
import { hasCode } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import { label } from '../../node/labels.js';
import { call, connect } from './engine.js';
import type { Engine } from './engine.js';

export interface RemoveOptions {
  readonly host: string;
  readonly instance: string;
  /** Only of this node; of all nodes on the engine when absent. */
  readonly node?: string | undefined;
  readonly log: Logger;
}

const gone = async (removal: Promise<unknown>): Promise<void> => {
  try {
    await removal;
  } catch (error) {
    // Gone already, or going.
    if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
  }
};

const removeContainers = async (engine: Engine, filters: object, signal: AbortSignal): Promise<number> => {
  const found = await call(engine, signal, () =>
    engine.docker.listContainers({ all: true, filters } as object),
  );
  await Promise.all(
    found.map(({ Id: id }) =>
      engine.gate.run(signal, () =>
        gone(call(engine, signal, () => engine.docker.getContainer(id).remove({ force: true, v: true }))),
      ),
    ),
  );
  return found.length;
};

/** Containers first, then networks; images stay. The numbers removed. Throws ServiceUnavailable when the engine is down. */
export const removeEverything = async (
  { host, instance, node, log }: RemoveOptions,
  signal: AbortSignal,
): Promise<{ readonly containers: number; readonly networks: number }> => {
  const engine = await connect({ host, instance, node: node ?? '', log });
  const labels = [`${label.instance}=${instance}`, ...(node === undefined ? [] : [`${label.node}=${node}`])];
  const filters = { label: labels };
  let containers = 0;
  // Once more while something is still being made.
  for (let removed = 1; removed > 0; containers += removed)
    removed = await removeContainers(engine, filters, signal);
  const networks = await call(engine, signal, () => engine.docker.listNetworks({ filters } as object));
  for (const { Id: id } of networks)
    await gone(call(engine, signal, () => engine.docker.getNetwork(id).remove()));
  return { containers, networks: networks.length };
};
