// The baseline of everything that starts pods: pause and application container pairs straight through the Docker API.
import Docker from 'dockerode';

export interface PairsOptions {
  readonly host: string;
  readonly image: string;
  readonly count: number;
  /** Pairs under way at the same time. */
  readonly width: number;
}

const connect = (host: string): Docker => new Docker({ socketPath: host.replace('unix://', '') });

/** Starts the pairs on a bridge network of their own and removes them again; milliseconds until the last one runs. */
export const startPairs = async ({ host, image, count, width }: PairsOptions): Promise<number> => {
  const docker = connect(host);
  const network = await docker.createNetwork({
    Name: 'capstan-bench',
    Driver: 'bridge',
    Options: { 'com.docker.network.bridge.name': 'capbench0' },
    IPAM: { Config: [{ Subnet: '10.199.0.0/24' }] },
  });
  const made: Docker.Container[] = [];
  const pair = async (index: number): Promise<void> => {
    const sandbox = await docker.createContainer({
      name: `capstan-bench-pause-${index}`,
      Image: 'capstan/pause:1',
      HostConfig: { NetworkMode: 'capstan-bench' },
    });
    made.push(sandbox);
    await sandbox.start();
    const application = await docker.createContainer({
      name: `capstan-bench-app-${index}`,
      Image: image,
      HostConfig: { NetworkMode: `container:${sandbox.id}` },
    });
    made.push(application);
    await application.start();
  };
  try {
    const start = performance.now();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) await pair(next++);
    };
    await Promise.all(Array.from({ length: width }, worker));
    return performance.now() - start;
  } finally {
    for (const container of made.reverse()) await container.remove({ force: true });
    await network.remove();
  }
};
