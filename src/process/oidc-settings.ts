// Settings of an outside OpenID provider; flags are those of kube-apiserver.

export interface OidcSettings {
  /** Undefined: no provider. */
  readonly oidcIssuerUrl: string | undefined;
  readonly oidcClientId: string | undefined;
  readonly oidcUsernameClaim: string;
  readonly oidcUsernamePrefix: string | undefined;
  readonly oidcGroupsClaim: string | undefined;
  readonly oidcGroupsPrefix: string;
  /** `claim=value,…`. */
  readonly oidcRequiredClaim: string | undefined;
  readonly oidcCaFile: string | undefined;
  readonly oidcSigningAlgs: string;
}

const setting = <Key extends keyof OidcSettings>(definition: {
  readonly key: Key;
  readonly flag: string;
  readonly placeholder: string;
  readonly description: string;
  readonly fallback: OidcSettings[Key];
}) => ({ ...definition, parse: (value: string): string => value });

export const oidcSettings = [
  setting({
    key: 'oidcIssuerUrl',
    flag: 'oidc-issuer-url',
    placeholder: 'URL',
    description: 'an OpenID provider whose ID tokens are accepted',
    fallback: undefined,
  }),
  setting({
    key: 'oidcClientId',
    flag: 'oidc-client-id',
    placeholder: 'ID',
    description: 'the client for which the provider issues them',
    fallback: undefined,
  }),
  setting({
    key: 'oidcUsernameClaim',
    flag: 'oidc-username-claim',
    placeholder: 'CLAIM',
    description: 'the claim that names the user',
    fallback: 'sub',
  }),
  setting({
    key: 'oidcUsernamePrefix',
    flag: 'oidc-username-prefix',
    placeholder: 'TEXT',
    description:
      'before the name of the user; "-" for nothing (default: the issuer and #, but for mail addresses)',
    fallback: undefined,
  }),
  setting({
    key: 'oidcGroupsClaim',
    flag: 'oidc-groups-claim',
    placeholder: 'CLAIM',
    description: 'the claim that lists the groups of the user',
    fallback: undefined,
  }),
  setting({
    key: 'oidcGroupsPrefix',
    flag: 'oidc-groups-prefix',
    placeholder: 'TEXT',
    description: 'before the names of groups',
    fallback: '',
  }),
  setting({
    key: 'oidcRequiredClaim',
    flag: 'oidc-required-claim',
    placeholder: 'CLAIM=VALUE,…',
    description: 'claims that a token must have',
    fallback: undefined,
  }),
  setting({
    key: 'oidcCaFile',
    flag: 'oidc-ca-file',
    placeholder: 'FILE',
    description: 'authority that signed the provider (PEM; default: those that the system trusts)',
    fallback: undefined,
  }),
  setting({
    key: 'oidcSigningAlgs',
    flag: 'oidc-signing-algs',
    placeholder: 'ALG,…',
    description: 'algorithms with which its tokens may be signed',
    fallback: 'RS256',
  }),
] as const;
