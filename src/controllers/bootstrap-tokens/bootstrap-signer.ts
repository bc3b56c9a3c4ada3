// Signs what a machine reads before it trusts anyone: cluster-info, once with every bootstrap token that may sign.
import type { Index } from '../../client/view.js';
import { equal } from '../../base/json.js';
import { signDetached } from '../../pki/detached-signature.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Key } from '../../reconcile/controller.js';
import {
  bootstrapTokenType,
  hasExpired,
  readBootstrapToken,
  type BootstrapToken,
} from '../../resources/bootstrap-token.js';
import { clusterInfo, clusterInfoKey, signatureKey, signaturePrefix } from '../../resources/cluster-info.js';
import type { ConfigMap, Secret } from '../../resources/generated/types.js';
import { configmaps } from '../../resources/kinds/configmaps.js';
import { secrets } from '../../resources/kinds/secrets.js';

export interface SignerObserved {
  readonly info: ConfigMap;
  readonly tokens: readonly BootstrapToken[];
}

const everyToken: Key = { name: 'all' };

const bootstrapTokens: Index<Secret> = {
  name: 'bootstrap tokens',
  kind: secrets,
  keys: ({ type }) => (type === bootstrapTokenType ? [everyToken.name] : []),
};

const signatures = (content: string, tokens: readonly BootstrapToken[]): Readonly<Record<string, string>> =>
  Object.fromEntries(tokens.map((token) => [signatureKey(token.id), signDetached(content, token)]));

export const bootstrapSigner: Controller<SignerObserved, ClusterAction> = {
  name: 'bootstrap-signer',
  watches: [
    {
      kind: configmaps,
      keys: ({ object }) =>
        object.metadata.name === clusterInfo.name && object.metadata.namespace === clusterInfo.namespace
          ? [clusterInfo]
          : [],
    },
    {
      kind: secrets,
      keys: ({ object }) => ((object as Secret).type === bootstrapTokenType ? [clusterInfo] : []),
    },
  ],
  indexes: [bootstrapTokens],
  observe: (view) => {
    const info = view.get(configmaps, clusterInfo);
    if (info === undefined) return undefined;
    const tokens = view
      .lookup(bootstrapTokens, everyToken.name)
      .flatMap((secret) => readBootstrapToken(secret) ?? [])
      .filter(({ usages }) => usages.includes('signing'));
    return { info, tokens };
  },
  reconcile: ({ info, tokens }, now) => {
    const live = tokens.filter((token) => !hasExpired(token, now));
    const content = info.data?.[clusterInfoKey] ?? '';
    const kept = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(signaturePrefix));
    const data = { ...Object.fromEntries(kept), ...signatures(content, live) };
    const ends = live.flatMap(({ expires }) => (expires === undefined ? [] : [expires]));
    const wakeAt = ends.length === 0 ? undefined : Math.min(...ends);
    if (equal(data, info.data))
      return { actions: [], because: `${String(live.length)} tokens vouch for it`, wakeAt };
    return {
      actions: [{ type: 'update', kind: configmaps, object: { ...info, data } as ConfigMap }],
      because: `${String(live.length)} tokens are to vouch for it`,
      wakeAt,
    };
  },
};
