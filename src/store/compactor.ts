// Forgets history by age, so that a quiet store does not hold on to the past for ever.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import type { Store } from './store.js';

/**
 * Every `keepMs` forgets what was already history `keepMs` ago: anything younger stays readable.
 * Ends when the signal aborts.
 */
export const compactByAge = async (
  store: Store,
  { clock, keepMs }: { readonly clock: Clock; readonly keepMs: number },
  signal: AbortSignal,
): Promise<void> => {
  try {
    for (;;) {
      const { revision } = store;
      await clock.sleep(keepMs, signal);
      await store.compact(revision);
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
};
