// Which engine answers, asked once at the start: so that a missing engine is said at once and by its address.
import { silent } from '../../base/log.js';
import { call, connect } from './engine.js';

/** Such as `20.10.24`. Throws ServiceUnavailable, naming the address and what to do, when nothing answers. */
export const engineVersion = async (host: string, signal: AbortSignal): Promise<string> => {
  const engine = await connect({ host, instance: '', node: '', log: silent });
  const { Version: found } = await call(engine, signal, () => engine.docker.version());
  return found;
};
