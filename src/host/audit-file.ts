// The audit log on the disk: lines are gathered and written in the background, files are rotated by size and age. A disk
// that is slower than the requests makes it drop lines, counted and told, and never makes a request wait.
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { AuditSink } from '../apiserver/audit/audit-log.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';

export interface AuditFileOptions {
  readonly path: string;
  /** A file that would become larger is put aside under a name with its time. */
  readonly maxBytes: number;
  /** Files put aside that are kept, at most so many and not older than this; 0: no limit. */
  readonly maxFiles: number;
  readonly maxAgeMs: number;
  /** Bytes that may wait for the disk; 16 MiB when absent. */
  readonly maxWaiting?: number;
  readonly log: Logger;
}

export interface AuditFile extends AuditSink {
  /** Lines that were dropped since the start. */
  dropped(): number;
  /** Writes what waits, and closes the file. */
  close(): Promise<void>;
}

const defaultWaiting = 16 * 1024 * 1024;
/** Lines wait this long for company. */
const gatherMs = 100;

const write = async (file: FileHandle, text: Buffer): Promise<void> => {
  for (let at = 0; at < text.length;) at += (await file.write(text, at)).bytesWritten;
};

class RotatingFile {
  readonly #options: AuditFileOptions;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  async append(text: Buffer): Promise<void> {
    const { maxBytes } = this.#options;
    let file = this.#file ?? (await this.#open());
    if (this.#size > 0 && this.#size + text.length > maxBytes) {
      await this.#putAside();
      file = await this.#open();
    }
    await write(file, text);
    this.#size += text.length;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<FileHandle> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a', 0o600);
    this.#file = file;
    this.#size = (await file.stat()).size;
    return file;
  }

  async #putAside(): Promise<void> {
    await this.close();
    const { path } = this.#options;
    const time = new Date().toISOString().replaceAll(':', '-');
    await rename(path, `${path.slice(0, -extname(path).length || undefined)}-${time}${extname(path)}`);
    await this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const { path, maxFiles, maxAgeMs } = this.#options;
    const folder = dirname(path);
    const extension = extname(path);
    const start = `${basename(path, extension)}-`;
    const names = (await readdir(folder))
      .filter((name) => name.startsWith(start) && /-\d{4}-\d\d-\d\dT[\d.-]+Z/.test(name))
      .sort()
      .reverse();
    const now = Date.now();
    for (const [index, name] of names.entries()) {
      const file = join(folder, name);
      const old = maxAgeMs > 0 && now - (await stat(file)).mtimeMs > maxAgeMs;
      if (old || (maxFiles > 0 && index >= maxFiles)) await rm(file, { force: true });
    }
  }
}

class BackgroundWriter implements AuditFile {
  readonly #options: AuditFileOptions;
  readonly #file: RotatingFile;
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  #told = 0;
  #failed = false;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#file = new RotatingFile(options);
  }

  write(line: string): void {
    if (this.#waiting + line.length > (this.#options.maxWaiting ?? defaultWaiting)) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    if (this.#writing !== undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, gatherMs);
  }

  dropped(): number {
    return this.#dropped;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#start();
    await this.#writing;
    await this.#file.close();
  }

  #start(): void {
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      const size = this.#waiting;
      this.#lines = [];
      await this.#append(Buffer.from(`${lines.join('\n')}\n`), lines.length);
      this.#waiting -= size;
    }
    this.#writing = undefined;
    if (this.#dropped > this.#told)
      this.#options.log.warn(
        { dropped: this.#dropped - this.#told, file: this.#options.path },
        'the disk is too slow for the audit log: events were dropped',
      );
    this.#told = this.#dropped;
  }

  async #append(text: Buffer, count: number): Promise<void> {
    try {
      await this.#file.append(text);
      this.#failed = false;
    } catch (error) {
      this.#dropped += count;
      this.#told = this.#dropped;
      if (!this.#failed)
        this.#options.log.error(
          { file: this.#options.path, error: messageOf(error) },
          'the audit log cannot be written: events are dropped until it can',
        );
      this.#failed = true;
      await this.#file.close().catch(() => undefined);
    }
  }
}

export const openAuditFile = (options: AuditFileOptions): AuditFile => new BackgroundWriter(options);
