// `/openapi/v2` and `/openapi/v3`: documents made when first asked for and kept, since kubectl asks for them often.
import { ClusterError } from '../base/errors.js';
import type { HttpRequest, HttpResponse } from '../base/http.js';
import type { Kind } from '../resources/kind.js';
import type { KindSource } from '../resources/kind-source.js';
import { CachedDocument, showDocument } from './cached-document.js';
import { json, utf8 } from './respond.js';

export interface OpenApi {
  index(): Promise<HttpResponse>;
  document(request: HttpRequest, group: string, version: string): Promise<HttpResponse>;
  v2(request: HttpRequest): Promise<HttpResponse>;
}

/** The descriptions of all kinds are large: they are loaded when the first client wants them explained. */
const load = () => import('../resources/openapi.js');
type Documents = Awaited<ReturnType<typeof load>>;

/** Echoing the client's `…v2@v1.0+protobuf` would break Go's MIME parser. */
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

const groupVersionOf = (path: string): readonly [group: string, version: string] => {
  const [root, first = '', second = ''] = path.split('/');
  return root === 'api' ? ['', first] : [first, second];
};

interface Made {
  readonly of: readonly Kind[];
  readonly document: Promise<CachedDocument>;
}

const same = (a: readonly Kind[], b: readonly Kind[]): boolean =>
  a.length === b.length && a.every((kind, index) => kind === b[index]);

export const createOpenApi = (source: KindSource): OpenApi => {
  const known = new Map<string, Made>();
  /** Made anew only when other kinds are in it. */
  const once = (
    key: string,
    of: readonly Kind[],
    make: (documents: Documents) => Uint8Array,
  ): Promise<CachedDocument> => {
    const before = known.get(key);
    if (before !== undefined && same(before.of, of)) return before.document;
    const document = load().then((module) => new CachedDocument(make(module)));
    known.set(key, { of, document });
    return document;
  };
  const version3 = (group: string, version: string): Promise<CachedDocument> => {
    const own = source.served().filter((kind) => kind.group === group && kind.version === version);
    return once(`v3/${group}/${version}`, own, ({ openApiDocument }) =>
      utf8(JSON.stringify(openApiDocument(group, version, own))),
    );
  };
  return {
    index: async () => {
      const { paths } = (await load()).openApiIndex(source.served());
      const hashed = Object.entries(paths).map(async ([path, { serverRelativeURL }]) => {
        const { hash } = await version3(...groupVersionOf(path));
        return [path, { serverRelativeURL: `${serverRelativeURL}?hash=${hash}` }] as const;
      });
      return json(200, { paths: Object.fromEntries(await Promise.all(hashed)) });
    },
    document: async (request, group, version) => {
      if (!source.served().some((kind) => kind.group === group && kind.version === version))
        throw new ClusterError('NotFound', 'the server could not find the requested resource');
      return showDocument(request, 'application/json', await version3(group, version));
    },
    v2: async (request) => {
      const kinds = source.served();
      const made = await once('v2', kinds, ({ openApiV2Protobuf }) => openApiV2Protobuf(kinds));
      return showDocument(request, protobufType, made);
    },
  };
};
