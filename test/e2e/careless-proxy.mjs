// Capstan with a service proxy that says at once that it follows, and does so two seconds later: what the confirmation
// is for.
import { setTimeout as sleep } from 'node:timers/promises';
import { NftablesDatapath } from '../../dist/host/datapath/nftables.js';

const { apply } = NftablesDatapath.prototype;
let first = true;
let wanted;
let working = false;

NftablesDatapath.prototype.apply = async function (desired, signal) {
  // The table itself is made as ever.
  if (first) {
    first = false;
    await apply.call(this, desired, signal);
    return;
  }
  wanted = { ...desired, frontends: new Map(desired.frontends) };
  if (working) return;
  working = true;
  void (async () => {
    while (wanted !== undefined && !signal.aborted) {
      await sleep(2_000);
      const next = wanted;
      wanted = undefined;
      await apply.call(this, next, signal);
    }
    working = false;
  })();
};

await import('../../dist/main.js');
