// Refuses what would use more of a namespace than its quotas allow, however many writers ask at once.
import { storeKey } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import { resourcequotas } from '../../resources/kinds/resourcequotas.js';
import { quantity } from '../../resources/quantity.js';
import type { Store } from '../../store/store.js';
import { forbidden } from '../verbs/rejections.js';
import type { Admission, AdmissionRequest, Admitted } from './admission.js';
import { QuotaLedger } from './quota-ledger.js';
import { consumerOf, unspecified, usageText } from './quota-usage.js';
import type { Consumer } from './quota-usage.js';

const isQuota = (kind: Kind): boolean => kind.group === '' && kind.plural === resourcequotas.plural;

const prefixOf = (kind: Kind): string => `${kind.group === '' ? 'core' : kind.group}/${kind.plural}`;

export const resourceQuota = ({
  store,
  lifetime,
}: {
  readonly store: Store;
  readonly lifetime: AbortSignal;
}): Admission => {
  const ledger = new QuotaLedger(store, lifetime);

  const check = (request: AdmissionRequest, key: string, next: Consumer): boolean => {
    const { kind, name, namespace = '', reads } = request;
    let grows = false;
    for (const account of ledger.accounts(namespace, reads.list(resourcequotas, namespace))) {
      const { quota, used } = account;
      const { hard = {} } = quota.spec;
      if (request.operation === 'create') {
        const missing = unspecified(quota, next);
        if (missing !== undefined)
          throw forbidden(kind, name, `failed quota: ${quota.metadata.name}: must specify ${missing}`);
      }
      const growth = ledger.growth(account, key, next);
      const limits = new Map(Object.entries(hard).map(([one, text]) => [one, quantity(text).nanos]));
      const exceeded = [...growth]
        .filter(([one, more]) => more > 0n && (used.get(one) ?? 0n) + more > (limits.get(one) ?? 0n))
        .map(([one]) => one);
      if (exceeded.length > 0)
        throw forbidden(
          kind,
          name,
          `exceeded quota: ${quota.metadata.name}, requested: ${usageText(growth, exceeded)}, used: ${usageText(used, exceeded)}, limited: ${usageText(limits, exceeded)}`,
        );
      if ([...growth.values()].some((more) => more > 0n)) grows = true;
    }
    return grows;
  };

  /** The quota itself was written: its own namespace is counted anew. */
  const recount = ({ namespace = '', reads }: AdmissionRequest): Admitted => ({
    settled: () => {
      ledger.accounts(namespace, reads.list(resourcequotas, namespace));
    },
  });

  return {
    name: 'ResourceQuota',
    phase: 'validate',
    admit: (request) => {
      const { kind, name, namespace = '', reads, dryRun } = request;
      if (!kind.namespaced) return undefined;
      if (isQuota(kind) && request.operation !== 'create') return dryRun ? undefined : recount(request);
      if (!isQuota(kind) && reads.list(resourcequotas, namespace).length === 0) return undefined;
      const key = storeKey(kind, name, namespace);
      // A status or a deletion uses no more than before; what it gives back is read from the store.
      if (
        request.operation === 'delete' ||
        (request.operation === 'update' && request.subresource !== undefined)
      )
        return dryRun
          ? undefined
          : {
              settled: () => {
                ledger.settle(key, false);
              },
            };
      const consumer = consumerOf(prefixOf(kind), request.object);
      const grows = check(request, key, consumer);
      if (dryRun) return undefined;
      if (grows) ledger.claim(key, consumer);
      return {
        settled: (committed) => {
          ledger.settle(key, grows);
          if (isQuota(kind) && committed) recount(request).settled?.(committed);
        },
      };
    },
  };
};
