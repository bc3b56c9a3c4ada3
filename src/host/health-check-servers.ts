// The health-check node ports of services: load balancers outside ask there whether this node has endpoints of its own.
// Answers are those of Kubernetes' proxy.
import { createServer, type Server } from 'node:http';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { HealthCheck } from '../network/service-rules.js';

interface Served {
  check: HealthCheck;
  readonly server: Server;
}

export interface HealthCheckServers {
  /** Serves exactly these; a port that is taken is said in the log, and tried again with the next change. */
  serve(checks: readonly HealthCheck[]): Promise<void>;
  close(): Promise<void>;
}

const end = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const start = async (check: HealthCheck): Promise<Served> => {
  const served: Served = {
    check,
    server: createServer((_request, response) => {
      const { namespace, name, localEndpoints } = served.check;
      response.writeHead(localEndpoints > 0 ? 200 : 503, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ service: { namespace, name }, localEndpoints }));
    }),
  };
  await new Promise<void>((resolve, reject) => {
    served.server.once('error', reject);
    served.server.listen(check.port, '0.0.0.0', resolve);
  });
  return served;
};

export const createHealthCheckServers = (log: Logger): HealthCheckServers => {
  const served = new Map<number, Served>();
  return {
    serve: async (checks) => {
      for (const [port, { server }] of served)
        if (!checks.some((check) => check.port === port)) {
          served.delete(port);
          await end(server);
        }
      for (const check of checks) {
        const known = served.get(check.port);
        if (known !== undefined) known.check = check;
        else
          try {
            served.set(check.port, await start(check));
          } catch (error) {
            const service = `${check.namespace}/${check.name}`;
            log.error(
              { service, port: check.port, error: messageOf(error) },
              'a health-check node port is not served',
            );
          }
      }
    },
    close: async () => {
      for (const { server } of served.values()) await end(server);
      served.clear();
    },
  };
};
