// The port of a node's disk: volumes and the small files that pods get.

export interface ProjectedFile {
  /** Relative to the volume. */
  readonly path: string;
  readonly data: Uint8Array;
  readonly mode: number;
}

export type HostPathType =
  '' | 'DirectoryOrCreate' | 'Directory' | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice';

export interface VolumeName {
  readonly podUid: string;
  readonly volume: string;
}

/** All throw ClusterError with a sentence about the path; all are safe to repeat. */
export interface NodeFiles {
  /** Path of an empty directory of the pod's; in memory when `memory`, then of `sizeBytes` at most. */
  emptyDirectory(
    name: VolumeName,
    options: {
      readonly memory: boolean;
      readonly sizeBytes?: number | undefined;
      readonly group?: number | undefined;
    },
  ): Promise<string>;
  /** Makes the volume show exactly these files, in one step for whoever reads it. Its path. */
  project(
    name: VolumeName,
    options: { readonly files: readonly ProjectedFile[]; readonly group?: number | undefined },
  ): Promise<string>;
  /** Throws when the path is not of that type. */
  checkHostPath(path: string, type: HostPathType): Promise<void>;
  /** Where the data of this node's volumes is. */
  readonly volumeRoot: string;
  /**
   * Makes sure of a folder that outlives the pod: whoever made it new, everyone may write there. The group owns what is in
   * it, checked file by file unless `onRootMismatch` and the folder itself is right already. Its path.
   */
  folder(
    path: string,
    options: {
      readonly type: HostPathType;
      readonly group?: number | undefined;
      readonly onRootMismatch: boolean;
    },
  ): Promise<string>;
  /** Mounts a file system of another machine. Its path. */
  mountNfs(
    name: VolumeName,
    source: {
      readonly server: string;
      readonly path: string;
      readonly options: readonly string[];
      readonly readOnly: boolean;
    },
  ): Promise<string>;
  /** Removes all data of the volume in `volumeRoot`. */
  removeVolume(volume: string): Promise<void>;
  /** Resolves a path within a volume, never outside it; makes a directory where nothing is. */
  subPath(volumePath: string, subPath: string): Promise<string>;
  /** Writes a file of the pod's own (`etc-hosts`, `resolv.conf`). Its path. */
  podFile(podUid: string, name: string, content: string): Promise<string>;
  /** Makes the file into which a container writes its last words. Its path. */
  terminationLog(podUid: string, container: string, attempt: number): Promise<string>;
  /** At most 4096 bytes from the end; '' when there is nothing. */
  readTerminationLog(podUid: string, container: string, attempt: number): Promise<string>;
  /** The text of a seccomp profile that somebody laid down on the node, by its path below the profiles' folder. */
  seccompProfile(name: string): Promise<string>;
  /** The node's own resolv.conf and hosts. */
  resolvConf(): Promise<string>;
  hosts(): Promise<string>;
  /** Bytes on the disk of each of the pod's volumes that are its own. */
  volumeBytes(podUid: string): Promise<ReadonlyMap<string, number>>;
  /** Unmounts and removes everything of the pod's. */
  removePod(podUid: string): Promise<void>;
  /** Uids of pods that have something here. */
  pods(): Promise<readonly string[]>;
}
