// What a node's machine is, as its Node object shows it.

export interface Machine {
  readonly hostname: string;
  readonly operatingSystem: string;
  /** In Go's words: amd64, arm64. */
  readonly architecture: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly machineID: string;
  readonly systemUUID: string;
  readonly bootID: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
}
