// Randomness for those who take it as an argument.
import { randomUUID } from 'node:crypto';

export const randomIds = { uid: (): string => randomUUID(), random: (): number => Math.random() };
