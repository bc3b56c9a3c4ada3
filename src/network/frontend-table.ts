// The frontends of all services. Two services may claim one external address and port: then one of them has it, the
// same one on every node.
import { equal } from '../base/json.js';
import type { Frontend, Frontends } from './datapath.js';

export class FrontendTable {
  readonly #byService = new Map<string, readonly Frontend[]>();
  /** key -> service -> frontend; only where more than one service claims the key. */
  readonly #contested = new Map<string, Map<string, Frontend>>();
  readonly #owners = new Map<string, string>();
  readonly #frontends = new Map<string, Frontend>();

  /** Live: shows every later change. */
  get frontends(): Frontends {
    return this.#frontends;
  }

  /** Replaces what the service had; whether anything changed. What is equal keeps its identity. */
  put(service: string, frontends: readonly Frontend[]): boolean {
    const previous = this.#byService.get(service) ?? [];
    const next = frontends.map((frontend) => {
      const same = previous.find(({ key }) => key === frontend.key);
      return same !== undefined && equal(same, frontend) ? same : frontend;
    });
    const gone = previous.filter(({ key }) => !next.some((frontend) => frontend.key === key));
    const changed = next.filter((frontend) => !previous.includes(frontend));
    if (next.length === 0) this.#byService.delete(service);
    else this.#byService.set(service, next);
    for (const { key } of gone) this.#release(service, key);
    for (const frontend of changed) this.#claim(service, frontend);
    return gone.length > 0 || changed.length > 0;
  }

  /** Keys that more than one service claims, with the service that has it first. */
  conflicts(): readonly { readonly key: string; readonly services: readonly string[] }[] {
    return [...this.#contested].map(([key, claims]) => ({ key, services: [...claims.keys()].sort() }));
  }

  #claim(service: string, frontend: Frontend): void {
    const { key } = frontend;
    const owner = this.#owners.get(key);
    if (owner === undefined || owner === service) {
      this.#owners.set(key, service);
      this.#frontends.set(key, frontend);
    }
    const current = this.#frontends.get(key);
    const claims = this.#contested.get(key);
    if (claims !== undefined) claims.set(service, frontend);
    else if (owner !== undefined && owner !== service && current !== undefined)
      this.#contested.set(
        key,
        new Map([
          [owner, current],
          [service, frontend],
        ]),
      );
    this.#settle(key);
  }

  #release(service: string, key: string): void {
    const claims = this.#contested.get(key);
    if (claims === undefined) {
      this.#owners.delete(key);
      this.#frontends.delete(key);
      return;
    }
    claims.delete(service);
    this.#settle(key);
    if (claims.size < 2) this.#contested.delete(key);
  }

  /** The first name has it: every node decides the same, in whatever order it learned of the services. */
  #settle(key: string): void {
    const claims = this.#contested.get(key);
    if (claims === undefined) return;
    const [first] = [...claims.keys()].sort();
    const frontend = first === undefined ? undefined : claims.get(first);
    if (first === undefined || frontend === undefined) return;
    this.#owners.set(key, first);
    this.#frontends.set(key, frontend);
  }
}
