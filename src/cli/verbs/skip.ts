/** `sluice skip`: end the current bake early. */
import { messageCommand } from './message.js';

export const skip = messageCommand('skip', 'End the current bake early.');
