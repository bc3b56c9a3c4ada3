// What requests to metric servers share: headers, and how to prove who asks.
import type { AnalysisAuthentication, AnalysisHeader } from '../../../resources/generated/types.js';
import { EvaluationError } from '../values.js';
import type { MetricRequest } from '../metric-source.js';

export const headersOf = (headers: readonly AnalysisHeader[] | undefined): MetricRequest['headers'] =>
  (headers ?? []).map(({ key, value }) => [key, value] as const);

/** Throws for ways that are not supported. */
export const authenticationOf = (
  authentication: AnalysisAuthentication | undefined,
): MetricRequest['oauth2'] => {
  if (authentication?.sigv4 !== undefined) throw new EvaluationError('sigv4 is not supported');
  const { tokenUrl, clientId = '', clientSecret = '', scopes = [] } = authentication?.oauth2 ?? {};
  return tokenUrl === undefined || tokenUrl === '' ? undefined : { tokenUrl, clientId, clientSecret, scopes };
};
