// Which pods answered, as a client on a machine or in a pod of the lab sees it.
import type { LabCluster } from './lab.js';

/** Answer or error -> how often. */
export type Answers = Readonly<Record<string, number>>;

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly times?: number;
  /** Local address of the client. */
  readonly from?: string;
}

/** One connection after the other, eight at a time; each answer is the body of an HTTP response, or an error's code. */
const client = `
const [address, port, times, from] = process.argv.slice(1);
const answers = {};
(async () => {
  let left = Number(times);
  const worker = async () => { while (left > 0) { left -= 1; await new Promise((resolve) => {
    let text = '';
    const done = (answer) => { const key = answer.trim(); answers[key] = (answers[key] ?? 0) + 1; resolve(); };
    const options = { host: address, port: Number(port), agent: false, timeout: 3000, ...(from ? { localAddress: from } : {}) };
    const request = require('http').get(options, (response) => {
      response.on('data', (data) => { text += data; });
      response.on('error', (error) => done(error.code));
      response.on('end', () => done(text));
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    request.on('error', (error) => done(error.code));
  }); } };
  await Promise.all(Array.from({ length: 8 }, worker));
  console.log(JSON.stringify(answers));
})();`;

/** From the host itself. */
export const askFromHost = async (
  lab: LabCluster,
  host: number,
  { address, port, times = 1, from = '' }: Target,
): Promise<Answers> =>
  JSON.parse(
    await lab.must(host, process.execPath, ['-e', client, '--', address, `${port}`, `${times}`, from]),
  ) as Answers;

/** From a machine on the network that is no part of the cluster. */
export const askFromOutside = async (
  lab: LabCluster,
  { address, port, times = 1, from = '' }: Target,
): Promise<Answers> =>
  JSON.parse(
    await lab.outside(process.execPath, ['-e', client, '--', address, `${port}`, `${times}`, from]),
  ) as Answers;

/** From within a pod, with what its image has; a failed connection counts under the program's words. */
export const askFromPod = async (lab: LabCluster, pod: string, target: Target): Promise<Answers> => {
  const { address, port, times = 1 } = target;
  const loop = `i=0; while [ $i -lt ${String(times)} ]; do wget -qO- http://${address}:${String(port)}/ 2>&1; i=$((i+1)); done; true`;
  const text = await lab.kubectl(['exec', pod, '--', 'sh', '-c', loop]);
  const answers: Record<string, number> = {};
  for (const line of text.split('\n').filter((line) => line !== '')) answers[line] = (answers[line] ?? 0) + 1;
  return answers;
};
