// The program of sandboxes: a static ELF executable of a few hundred bytes that waits for SIGTERM and reaps children.

export type Architecture = 'amd64' | 'arm64';

/** SIGINT, SIGTERM and SIGCHLD as a signal set of the kernel. */
const signals = [0x02, 0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00];

/**
 * Blocks the signals, then: rt_sigtimedwait; SIGCHLD: wait4(-1, WNOHANG) until nothing is left; an error: wait again;
 * any other: exit(0). The signal set follows the code.
 */
const amd64 = [
  ...[0xb8, 0x0e, 0x00, 0x00, 0x00, 0x31, 0xff], // eax = rt_sigprocmask; edi = SIG_BLOCK
  ...[0x48, 0x8d, 0x35, 0x52, 0x00, 0x00, 0x00], // rsi = set
  ...[0x31, 0xd2, 0x41, 0xba, 0x08, 0x00, 0x00, 0x00, 0x0f, 0x05], // edx = 0; r10d = 8; syscall
  ...[0xb8, 0x80, 0x00, 0x00, 0x00], // wait: eax = rt_sigtimedwait
  ...[0x48, 0x8d, 0x3d, 0x3c, 0x00, 0x00, 0x00], // rdi = set
  ...[0x31, 0xf6, 0x31, 0xd2, 0x41, 0xba, 0x08, 0x00, 0x00, 0x00, 0x0f, 0x05],
  ...[0x83, 0xf8, 0x11, 0x74, 0x0d], // SIGCHLD: reap
  ...[0x85, 0xc0, 0x78, 0xdf], // an error: wait
  ...[0xb8, 0x3c, 0x00, 0x00, 0x00, 0x31, 0xff, 0x0f, 0x05], // exit(0)
  ...[0xb8, 0x3d, 0x00, 0x00, 0x00, 0xbf, 0xff, 0xff, 0xff, 0xff], // reap: eax = wait4; edi = -1
  ...[0x31, 0xf6, 0xba, 0x01, 0x00, 0x00, 0x00, 0x45, 0x31, 0xd2, 0x0f, 0x05],
  ...[0x85, 0xc0, 0x7f, 0xe6, 0xeb, 0xba], // more children: reap; else wait
  ...[0x00, 0x00],
  ...signals,
];

const words = (...values: readonly number[]): readonly number[] =>
  values.flatMap((value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]);

const arm64 = [
  ...words(0xd28010e8, 0xd2800000, 0x10000341, 0xd2800002, 0xd2800103, 0xd4000001), // rt_sigprocmask
  ...words(0xd2801128, 0x100002a0, 0xd2800001, 0xd2800002, 0xd2800103, 0xd4000001), // wait: rt_sigtimedwait
  ...words(0x7100441f, 0x540000a0), // SIGCHLD: reap
  ...words(0x37ffff00), // an error: wait
  ...words(0xd2800ba8, 0xd2800000, 0xd4000001), // exit(0)
  ...words(0xd2802088, 0x92800000, 0xd2800001, 0xd2800022, 0xd2800003, 0xd4000001), // reap: wait4
  ...words(0x7100001f, 0x54ffff2c, 0x17ffffec, 0xd503201f), // more children: reap; else wait
  ...signals,
];

const loadAddress = 0x400000;
const headersBytes = 64 + 56;

/** One loadable, executable segment: the whole file. */
export const pauseProgram = (architecture: Architecture): Buffer => {
  const code = Buffer.from(architecture === 'amd64' ? amd64 : arm64);
  const size = headersBytes + code.byteLength;
  const headers = Buffer.alloc(headersBytes);
  headers.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  headers.writeUInt16LE(2, 16); // an executable
  headers.writeUInt16LE(architecture === 'amd64' ? 62 : 183, 18);
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(BigInt(loadAddress + headersBytes), 24); // entry point
  headers.writeBigUInt64LE(64n, 32); // program headers
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  headers.writeUInt32LE(1, 64); // PT_LOAD
  headers.writeUInt32LE(5, 68); // readable and executable
  headers.writeBigUInt64LE(BigInt(loadAddress), 80);
  headers.writeBigUInt64LE(BigInt(loadAddress), 88);
  headers.writeBigUInt64LE(BigInt(size), 96);
  headers.writeBigUInt64LE(BigInt(size), 104);
  headers.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([headers, code]);
};
