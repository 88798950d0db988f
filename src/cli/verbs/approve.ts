import { decisionCommand } from './decision.js';

export const approve = decisionCommand('approve');
