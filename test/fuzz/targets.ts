// Everything that is fuzzed: a new parser of what comes from the network is a target here.
import type { FuzzTarget } from './fuzz-target.js';
import { credentials } from './targets/credentials.js';
import { messages } from './targets/messages.js';
import { requests } from './targets/requests.js';
import { streams } from './targets/streams.js';
import { texts } from './targets/texts.js';

export const targets = (): readonly FuzzTarget[] => [
  requests(),
  ...texts(),
  ...messages(),
  ...credentials(),
  ...streams(),
];
