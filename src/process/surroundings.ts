// What stands around every request of the API server: fairness between clients, the audit log, metrics.
import { collectDefaultMetrics } from 'prom-client';
import { parse } from 'yaml';
import type { Surroundings } from '../apiserver/handler.js';
import { AuditLog } from '../apiserver/audit/audit-log.js';
import { defaultPolicy } from '../apiserver/audit/default-policy.js';
import { parsePolicy } from '../apiserver/audit/policy.js';
import type { Policy } from '../apiserver/audit/policy.js';
import { Fairness } from '../apiserver/fairness/fairness.js';
import { metricsEndpoint, ServerMetrics } from '../apiserver/metrics/server-metrics.js';
import type { Clock } from '../base/clock.js';
import { ClusterError, messageOf } from '../base/errors.js';
import type { Extension } from '../base/http.js';
import type { Logger } from '../base/log.js';
import { openAuditFile } from '../host/audit-file.js';
import { fileSize, readOptionalFile } from '../host/files.js';
import { randomIds } from '../host/random-ids.js';
import { ticks, turn } from '../host/system-clock.js';
import type { Kind } from '../resources/kind.js';
import type { MvccStore } from '../store/mvcc-store.js';
import { dataDirectory } from './data-directory.js';
import type { Settings } from './settings.js';
import type { Tasks } from './tasks.js';

export interface SurroundingsOptions {
  readonly settings: Settings;
  readonly store: MvccStore;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly log: Logger;
}

const mebibyte = 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;

/** Throws BadRequest that names the file and what is wrong in it. */
const readPolicy = async (file: string | undefined): Promise<Policy> => {
  if (file === undefined) return defaultPolicy;
  const content = await readOptionalFile(file);
  if (content === undefined)
    throw new ClusterError('BadRequest', `--audit-policy-file: there is no file ${file}`);
  try {
    return parsePolicy(parse(content));
  } catch (error) {
    throw new ClusterError('BadRequest', `--audit-policy-file: ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

export interface Around {
  readonly surroundings: Surroundings;
  readonly metrics: Extension;
}

export const startSurroundings = async (options: SurroundingsOptions, tasks: Tasks): Promise<Around> => {
  const { settings, store, kinds, clock, log } = options;
  const directory = dataDirectory(settings.dataDir);
  const file = openAuditFile({
    path: settings.auditLogPath ?? directory.audit,
    maxBytes: settings.auditLogMaxsize * mebibyte,
    maxFiles: settings.auditLogMaxbackup,
    maxAgeMs: settings.auditLogMaxage * dayMs,
    log: log.child({ part: 'audit' }),
  });
  tasks.finally(() => file.close());
  const audit = new AuditLog(await readPolicy(settings.auditPolicyFile), file);
  const fairness = new Fairness({ clock, turn });
  tasks.start('fairness', (signal) => fairness.run(signal));
  const metrics = new ServerMetrics({
    store,
    kinds,
    fairness,
    storeBytes: () => fileSize(directory.storeFile),
    auditDropped: () => file.dropped(),
  });
  collectDefaultMetrics({ register: metrics.registry });
  return {
    surroundings: { fairness, audit, observers: [audit, metrics], ticks, uid: () => randomIds.uid() },
    metrics: metricsEndpoint(metrics.registry),
  };
};
