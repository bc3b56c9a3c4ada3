// Why a pod cannot be on a node, in the order in which it is asked: cheap and final reasons first.
import type { Filter } from '../placement.js';
import { hostPorts } from './host-ports.js';
import { nodeAffinity } from './node-affinity.js';
import { resources } from './resources.js';
import { taints } from './taints.js';
import { unschedulable } from './unschedulable.js';

export const filters: readonly Filter[] = [unschedulable, taints, nodeAffinity, hostPorts, resources];
