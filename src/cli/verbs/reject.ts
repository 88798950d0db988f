import { decisionCommand } from './decision.js';

export const reject = decisionCommand('reject');
