// The engine's event stream -> ContainerEvents of this node.
import type { Readable } from 'node:stream';
import { hasCode } from '../../base/errors.js';
import { label } from '../../node/labels.js';
import type { Container, ContainerEvent } from '../../node/runtime.js';
import { call, engineDown, engineError } from './engine.js';
import type { Engine } from './engine.js';

interface Message {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string };
}

/** Whoever creates a container knows it; what ended by lack of memory says so when it has ended. */
const actions = ['start', 'die', 'destroy'];
/** Podman's words for the same. */
const podmanActions = ['start', 'died', 'remove'];

async function* messages(stream: AsyncIterable<unknown>): AsyncGenerator<Message> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as Message;
  }
}

export interface ContainerReader {
  /** Fresh from the engine. Throws NotFound. */
  inspect(id: string, signal: AbortSignal): Promise<Container>;
  /** What is known of it, when that is as new as an event that says it started. */
  running(id: string): Container | undefined;
  /** Whoever starts it asks for what it becomes. */
  isStarting(id: string): boolean;
  forget(id: string): void;
}

const eventOf = async (
  { Action: action, Actor: actor }: Message,
  reader: ContainerReader,
  signal: AbortSignal,
): Promise<ContainerEvent | undefined> => {
  const id = actor?.ID;
  if (id === undefined) return undefined;
  if (action === 'destroy' || action === 'remove') {
    reader.forget(id);
    return { type: 'removed', id };
  }
  if (action === 'start' && reader.isStarting(id)) return undefined;
  try {
    const known = action === 'start' ? reader.running(id) : undefined;
    return { type: 'changed', container: known ?? (await reader.inspect(id, signal)) };
  } catch (error) {
    // It is gone already: the event that says so follows.
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
};

/** The engine says nothing when a stream begins: the answer's headers are the sign that it does. */
export async function* watchEvents(
  engine: Engine,
  reader: ContainerReader,
  signal: AbortSignal,
): AsyncGenerator<ContainerEvent> {
  const filters = {
    type: ['container'],
    event: engine.flavor === 'podman' ? podmanActions : actions,
    label: [`${label.instance}=${engine.instance}`, `${label.node}=${engine.node}`],
  };
  const stream = (await call(
    engine,
    signal,
    () => engine.docker.getEvents({ filters, abortSignal: signal } as object) as Promise<unknown>,
  )) as Readable;
  try {
    yield { type: 'ready' };
    for await (const message of messages(stream)) {
      const event = await eventOf(message, reader, signal);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    throw engineError(engine.host, error, signal);
  } finally {
    stream.destroy();
  }
  signal.throwIfAborted();
  throw engineDown(engine.host, 'it ended its stream of events');
}
