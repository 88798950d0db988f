/** `sluice resume`: continue a paused rollout. */
import { messageCommand } from './message.js';

export const resume = messageCommand('resume', 'Continue a paused rollout.');
