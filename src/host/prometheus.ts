// One query of a Prometheus: `GET /api/v1/query`, answered within seconds or not at all.
import { ClusterError, messageOf } from '../base/errors.js';
import { isObject } from '../base/json.js';

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const timeoutMs = 5000;
/** More than any sensible answer; what is longer is not read to its end. */
const mostBytes = 4 * 1024 * 1024;

const unusable = (address: string, why: string, cause?: unknown): ClusterError =>
  new ClusterError('ServiceUnavailable', `the Prometheus at ${address} ${why}`, { cause });

const read = async (response: Response, address: string): Promise<string> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    const bytes = part as Uint8Array;
    size += bytes.byteLength;
    if (size > mostBytes) throw unusable(address, 'answers with more than 4 MiB');
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
};

const sampleOf = (labels: unknown, value: unknown): PrometheusSample | undefined => {
  if (!Array.isArray(value) || typeof value[1] !== 'string') return undefined;
  const number = Number(value[1]);
  if (Number.isNaN(number)) return undefined;
  const named = isObject(labels) ? Object.entries(labels) : [];
  return {
    labels: Object.fromEntries(named.map(([name, text]) => [name, String(text)])),
    value: number,
  };
};

/** Samples of an instant vector or a scalar; NaN is no value. Undefined for anything else. */
export const samplesOf = (answer: unknown): readonly PrometheusSample[] | undefined => {
  if (!isObject(answer) || answer['status'] !== 'success' || !isObject(answer['data'])) return undefined;
  const { resultType, result } = answer['data'];
  if (!Array.isArray(result)) return undefined;
  if (resultType === 'scalar') return [sampleOf({}, result)].filter((sample) => sample !== undefined);
  if (resultType !== 'vector') return undefined;
  return result.flatMap((entry: unknown) => {
    const sample = isObject(entry) ? sampleOf(entry['metric'], entry['value']) : undefined;
    return sample === undefined ? [] : [sample];
  });
};

/** Throws ServiceUnavailable when it does not answer in time, or not with samples. */
export const queryPrometheus = async (
  address: string,
  query: string,
  signal: AbortSignal,
): Promise<readonly PrometheusSample[]> => {
  let response: Response;
  let text: string;
  try {
    const url = new URL(`${address.replace(/\/+$/, '')}/api/v1/query`);
    url.searchParams.set('query', query);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    response = await fetch(url, { signal: limit, redirect: 'error' });
    text = await read(response, address);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ClusterError
      ? error
      : unusable(address, `does not answer: ${messageOf(error)}`, error);
  }
  if (!response.ok) throw unusable(address, `answers ${String(response.status)}: ${text.slice(0, 200)}`);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw unusable(address, 'answers with what is no JSON', error);
  }
  const samples = samplesOf(answer);
  if (samples === undefined) throw unusable(address, 'answers with neither a vector nor a scalar');
  return samples;
};
