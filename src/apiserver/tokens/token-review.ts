// `tokenreviews`: someone who was handed a token asks whose it is (webhooks, aggregated servers, proxies in front of pods).
import { ClusterError } from '../../base/errors.js';
import type { Identity } from '../../base/http.js';
import type { TokenReviewSpec } from '../../resources/generated/types.js';
import { answered, review } from '../authorize/reviews.js';
import type { TokenAuthenticator } from '../authenticate.js';
import type { ServedKind } from '../discovery.js';
import { badRequest } from '../verbs/rejections.js';
import type { ServiceAccountTokens } from './service-account-tokens.js';

export interface TokenReviewOptions {
  readonly serviceAccounts: ServiceAccountTokens;
  /** Kinds of tokens that are for the API server, and for nobody else. */
  readonly others: readonly TokenAuthenticator[];
}

/** `userInfo` as reviews show it. */
export const userInfo = ({ user, groups, uid, extra }: Identity): unknown => ({
  username: user,
  ...(uid === undefined ? {} : { uid }),
  groups,
  ...(extra === undefined ? {} : { extra }),
});

const find = async (
  { serviceAccounts, others }: TokenReviewOptions,
  token: string,
  asked: readonly string[],
): Promise<{ readonly identity: Identity; readonly audiences: readonly string[] } | undefined> => {
  const own = serviceAccounts.issuer;
  const audiences = asked.length === 0 ? [own] : asked;
  const account = await serviceAccounts.authenticate(token, audiences);
  if (account !== undefined) return account;
  if (!audiences.includes(own)) return undefined;
  for (const authenticate of others) {
    const identity = await authenticate(token);
    if (identity !== undefined) return { identity, audiences: [own] };
  }
  return undefined;
};

export const tokenReviews = (options: TokenReviewOptions): ServedKind =>
  answered(review('authentication.k8s.io', 'v1', 'TokenReview'), async (_, body) => {
    const { token = '', audiences } = (body['spec'] ?? {}) as TokenReviewSpec;
    if (token === '')
      throw badRequest('spec.token: Required value: token is required for TokenReview in authentication');
    try {
      const found = await find(options, token, audiences ?? []);
      if (found === undefined) return { user: {}, error: 'the token is of no kind that is known here' };
      return { authenticated: true, user: userInfo(found.identity), audiences: found.audiences };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      return { user: {}, error: error.message };
    }
  });
