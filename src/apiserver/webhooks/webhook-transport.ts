// The port through which the API server asks webhooks.
export interface WebhookCall {
  /** As configured; for errors, and for the path. */
  readonly url: string;
  /** Where to connect instead of what the URL names: a pod behind a Service. */
  readonly address?: { readonly host: string; readonly port: number } | undefined;
  /** The name on the certificate; by default the host of the URL. */
  readonly serverName?: string | undefined;
  /** PEM, in place of the authorities that the system trusts. */
  readonly ca?: string | undefined;
  readonly body: Uint8Array;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

export interface WebhookTransport {
  /** POSTs JSON. Rejects for whatever keeps the answer from coming, with the signal's reason when it aborts. */
  post(call: WebhookCall, signal: AbortSignal): Promise<WebhookAnswer>;
}
