// Web: a value out of a JSON answer, by JSONPath. An answer that is no JSON is a text.
import { findAll, parseJsonPath } from '../../../resources/custom/json-path.js';
import type { AnalysisWeb } from '../../../resources/generated/types.js';
import { EvaluationError } from '../values.js';
import type { Measured, MetricAnswer, MetricRequest } from '../metric-source.js';
import { authenticationOf, headersOf } from './headers.js';

const defaultTimeoutSeconds = 10;

export const webRequest = (provider: AnalysisWeb): MetricRequest => {
  const { method = 'GET', url = '', jsonBody, body, timeoutSeconds = defaultTimeoutSeconds } = provider;
  return {
    method,
    url,
    headers: [
      ...(jsonBody === undefined ? [] : [['content-type', 'application/json'] as const]),
      ...headersOf(provider.headers),
    ],
    body: jsonBody === undefined ? body : JSON.stringify(jsonBody),
    timeoutMs: (timeoutSeconds <= 0 ? defaultTimeoutSeconds : timeoutSeconds) * 1000,
    insecure: provider.insecure === true,
    oauth2: authenticationOf(provider.authentication),
  };
};

/** Throws for an answer that is no success, and for a path that leads nowhere. */
export const webValue = ({ jsonPath }: AnalysisWeb, { status, body }: MetricAnswer): Measured => {
  if (status < 200 || status >= 300)
    throw new EvaluationError(`received non 2xx response code: ${String(status)}`);
  if (jsonPath === undefined || jsonPath === '') {
    let value: unknown = body;
    try {
      value = JSON.parse(body);
    } catch {
      return { value: body, text: body }; // no JSON: the text itself
    }
    return { value, text: body };
  }
  const path = parseJsonPath(jsonPath);
  if (path === undefined) throw new EvaluationError(`${jsonPath} is no JSONPath that is understood`);
  const found = findAll(path, JSON.parse(body));
  if (found.length === 0) throw new EvaluationError(`could not find ${jsonPath} in the answer`);
  const value = found.length === 1 ? found[0] : found;
  return { value, text: typeof value === 'string' ? value : JSON.stringify(value) };
};
