// Cancellation helpers around AbortSignal.

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });

/** True for the error that an aborted wait rejects with. */
export const isAbort = (error: unknown, signal?: AbortSignal): boolean =>
  (signal?.aborted === true && error === signal.reason) ||
  (error instanceof Error && error.name === 'AbortError');
