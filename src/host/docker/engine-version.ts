// The engine's own version, for the Node's status.
import { silent } from '../../base/log.js';
import { call, connect } from './engine.js';

/** `20.10.24`. Throws ServiceUnavailable when the engine is down, BadRequest for a malformed host. */
export const dockerVersion = async (host: string, signal: AbortSignal): Promise<string> => {
  const engine = await connect({ host, instance: '', node: '', log: silent });
  const { Version: version } = await call(engine, signal, () => engine.docker.version());
  return version;
};
