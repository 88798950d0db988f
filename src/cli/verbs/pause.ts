/** `sluice pause`: keep a rollout at its current traffic until you resume it. */
import { messageCommand } from './message.js';

export const pause = messageCommand('pause', 'Keep a rollout at its current traffic until you resume it.');
