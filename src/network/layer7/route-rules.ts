// Matches and filters of HTTPRoutes -> those of the routing.
import type { HTTPRouteFilter, HTTPRouteMatch } from '../../resources/generated/types.js';
import type { Filters, RequestMatch } from './routing.js';

export const filtersOf = (list: readonly HTTPRouteFilter[] = []): Filters => {
  let filters: Filters = {};
  for (const {
    requestHeaderModifier: request,
    responseHeaderModifier: response,
    requestRedirect,
    urlRewrite,
  } of list) {
    const changes = (of: typeof request) =>
      of && {
        set: (of.set ?? []).map(({ name, value }) => [name, value] as const),
        add: (of.add ?? []).map(({ name, value }) => [name, value] as const),
        remove: of.remove ?? [],
      };
    const path = (of: NonNullable<typeof urlRewrite>['path']) =>
      of &&
      (of.type === 'ReplaceFullPath'
        ? ({ type: 'full', value: of.replaceFullPath ?? '/' } as const)
        : ({ type: 'prefix', value: of.replacePrefixMatch ?? '/' } as const));
    filters = {
      request: changes(request) ?? filters.request,
      response: changes(response) ?? filters.response,
      redirect:
        requestRedirect === undefined
          ? filters.redirect
          : {
              scheme: requestRedirect.scheme,
              host: requestRedirect.hostname,
              port: requestRedirect.port,
              path: path(requestRedirect.path),
              status: requestRedirect.statusCode ?? 302,
            },
      rewrite:
        urlRewrite === undefined
          ? filters.rewrite
          : { host: urlRewrite.hostname, path: path(urlRewrite.path) },
    };
  }
  return filters;
};

const pathTypes: Readonly<Record<string, RequestMatch['path']['type']>> = {
  Exact: 'exact',
  RegularExpression: 'regex',
};

export const matchOf = (
  { path, headers = [], queryParams = [], method }: HTTPRouteMatch,
  host: string | undefined,
): RequestMatch => {
  const values = (list: typeof headers) =>
    list.map(({ name, value, type }) => ({ name, value, regex: type === 'RegularExpression' }));
  return {
    host,
    path: { type: pathTypes[path?.type ?? ''] ?? 'prefix', value: path?.value ?? '/' },
    method,
    headers: values(headers),
    query: values(queryParams),
  };
};
