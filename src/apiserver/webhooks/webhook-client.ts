// Asks one webhook, within its time, and reads what it answers as JSON.
import { isObject } from '../../base/json.js';
import type { Clock } from '../../base/clock.js';
import { utf8 } from '../respond.js';
import type { WebhookTarget } from './webhook-target.js';
import type { WebhookTransport } from './webhook-transport.js';

export interface WebhookClient {
  readonly transport: WebhookTransport;
  readonly clock: Clock;
  /** Ends calls that are under way. */
  readonly lifetime: AbortSignal;
}

const decoder = new TextDecoder();

const parsed = (body: Uint8Array): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(decoder.decode(body));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Throws an Error with one sentence: no answer in time, another status than 200, or no JSON. */
export const askWebhook = async (
  { transport, clock, lifetime }: WebhookClient,
  target: WebhookTarget,
  { body, timeoutSeconds }: { readonly body: unknown; readonly timeoutSeconds: number },
): Promise<Record<string, unknown>> => {
  const where = `Post ${JSON.stringify(target.url)}`;
  const over = new AbortController();
  const expired = new Error(`${where}: context deadline exceeded`);
  const signal = AbortSignal.any([lifetime, over.signal]);
  clock.sleep(timeoutSeconds * 1000, over.signal).then(
    () => over.abort(expired),
    () => undefined,
  );
  try {
    const answer = await transport.post({ ...target, body: utf8(JSON.stringify(body)) }, signal);
    if (answer.status !== 200)
      throw new Error(
        `${where}: the server answered ${String(answer.status)}: ${decoder.decode(answer.body).slice(0, 200)}`,
      );
    const value = parsed(answer.body);
    if (value === undefined) throw new Error(`${where}: the answer is not a JSON object`);
    return value;
  } catch (error) {
    if (error === expired || (error instanceof Error && error.message.startsWith(where))) throw error;
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    over.abort();
  }
};
