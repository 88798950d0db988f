/** `sluice reject`: reject the stage that is waiting and roll back. */
import { decisionCommand } from './decision.js';

export const reject = decisionCommand('reject', 'Reject the stage that is waiting and roll back.');
