// Secrets of type kubernetes.io/tls -> what a proxy shows.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../../resources/generated/types.js';

/** Chain and key as one text, or a sentence about what is wrong. */
export const pemOf = (
  secret: Secret | undefined,
): { readonly pem: string } | { readonly problem: string } => {
  if (secret === undefined) return { problem: 'there is no such Secret' };
  const text = (key: string): string =>
    Buffer.from(secret.data?.[key] ?? '', 'base64')
      .toString('utf8')
      .trim();
  const [certificate, key] = [text('tls.crt'), text('tls.key')];
  if (certificate === '' || key === '') return { problem: 'the Secret lacks tls.crt or tls.key' };
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      return { problem: 'tls.key does not belong to tls.crt' };
    return { pem: `${certificate}\n${key}\n` };
  } catch {
    return { problem: 'tls.crt and tls.key hold no certificate and key that can be read' };
  }
};
