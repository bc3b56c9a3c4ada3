// Runs a node's network as the cluster's configuration says, and anew when that changes.
import { aborted } from '../base/abort.js';
import { equal } from '../base/json.js';
import type { Logger } from '../base/log.js';
import type { Informers } from '../client/informers.js';
import type { ConfigMap } from '../resources/generated/types.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { networkConfigName, networkConfigOf } from './network-config.js';
import type { NetworkConfig } from './network-config.js';

export interface FollowOptions {
  /** Watches ConfigMaps, at least the one that holds the configuration. */
  readonly informers: Informers;
  readonly log: Logger;
  /** Works until its signal aborts. */
  run(config: NetworkConfig, signal: AbortSignal): Promise<void>;
}

const isOurs = ({ metadata }: ConfigMap): boolean =>
  metadata.name === networkConfigName.name && metadata.namespace === networkConfigName.namespace;

/** One configuration that cannot be read, or is gone, changes nothing: what ran goes on. */
export const followConfig = async (
  { informers, log, run }: FollowOptions,
  signal: AbortSignal,
): Promise<void> => {
  let wanted: NetworkConfig | undefined;
  let changed = new AbortController();
  const end = informers.subscribe(configmaps, ({ type, object }) => {
    if (type === 'deleted' || !isOurs(object)) return;
    const config = networkConfigOf(object);
    if (typeof config === 'string') log.error({}, config);
    else if (!equal(config, wanted)) {
      wanted = config;
      changed.abort();
    }
  });
  try {
    while (!signal.aborted) {
      const config = wanted;
      changed = new AbortController();
      const either = AbortSignal.any([signal, changed.signal]);
      await (config === undefined ? aborted(either) : run(config, either));
    }
  } finally {
    end();
  }
};
