/** `sluice pause`: keep a rollout at its current traffic for a while. */
import { messageCommand } from './message.js';

export const pause = messageCommand('pause', 'Keep a rollout at its current traffic, for a day by default.');
