/** `sluice approve`: approve the stage that is waiting. */
import { decisionCommand } from './decision.js';

export const approve = decisionCommand('approve', 'Approve the stage that is waiting.');
