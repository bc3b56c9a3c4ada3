// How sandboxes get into the network of the pods: by a link of their own where that can be, else by the engine.
import type Docker from 'dockerode';
import { ClusterError } from '../../base/errors.js';
import { label } from '../../node/labels.js';
import type { Container, ContainerSpec } from '../../node/runtime.js';
import type { Engine } from './engine.js';
import { createPodNetwork } from './network.js';
import type { NetworkOptions, PodNetwork } from './network.js';
import { createOwnBridge } from './own-bridge.js';
import { createPodLinks } from './pod-links.js';
import type { PodLinks } from './pod-links.js';

export class SandboxNetwork {
  readonly #network: PodNetwork;
  readonly #links: PodLinks;
  /** The engine has no way of its own into this network. */
  readonly #mustLink: boolean;
  /** Sandboxes that were connected here, and to which bridge. */
  readonly #bridges = new Map<string, string>();

  constructor(engine: Engine, options: NetworkOptions) {
    this.#network =
      engine.flavor === 'podman' ? createOwnBridge(engine, options) : createPodNetwork(engine, options);
    this.#mustLink = engine.flavor === 'podman';
    this.#links = createPodLinks(engine);
  }

  get name(): string {
    return this.#network.name;
  }

  /** The network may be gone: look again for the next sandbox. */
  forget(): void {
    this.#network.forget();
  }

  /** Makes what the sandbox needs around it; whether it is to be connected by `attach`. */
  async prepare({ network }: ContainerSpec, signal: AbortSignal): Promise<boolean> {
    if (network.type !== 'pod') return false;
    await this.#network.ensure(network.subnet, network.gateway, signal);
    // Ports of the host are the engine's to forward.
    if (network.hostPorts.length === 0 && (await this.#links.available(signal))) return true;
    if (this.#mustLink)
      throw new ClusterError(
        'Invalid',
        network.hostPorts.length > 0
          ? 'hostPort is not available with Podman: use a Service of type NodePort, or hostNetwork'
          : 'pods on Podman need root and the programs ip and nsenter on this machine',
      );
    return false;
  }

  /** Nothing for a sandbox that the engine connected itself. */
  async attach({ Id: id, State, Config }: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<void> {
    const {
      [label.subnet]: subnet,
      [label.address]: address = '',
      [label.gateway]: gateway = '',
    } = Config.Labels;
    if (subnet === undefined) return;
    const { bridge, mtu } = await this.#network.ensure(subnet, gateway, signal);
    const prefix = Number(subnet.split('/')[1]);
    try {
      await this.#links.attach({ id, pid: State.Pid, address, prefix, gateway, bridge, mtu }, signal);
    } catch (error) {
      if (!(await this.#links.bridgeExists(bridge))) this.forget();
      throw error;
    }
    this.#bridges.set(id, bridge);
  }

  /** Running sandboxes that hang on no bridge: a crash came between, or somebody removed the network. */
  async detached(containers: readonly Container[]): Promise<readonly Container[]> {
    const ids = new Set(containers.map(({ id }) => id));
    for (const id of this.#bridges.keys()) if (!ids.has(id)) this.#bridges.delete(id);
    const found: Container[] = [];
    for (const container of containers) {
      const { id, state, labels } = container;
      if (state !== 'running' || labels[label.subnet] === undefined) continue;
      const bridge = this.#bridges.get(id);
      if (bridge !== undefined && (await this.#links.isAttached(id, bridge))) continue;
      if (bridge !== undefined && !(await this.#links.bridgeExists(bridge))) this.forget();
      found.push(container);
    }
    return found;
  }
}
