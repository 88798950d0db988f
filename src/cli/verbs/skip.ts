import { messageCommand } from './message.js';

export const skip = messageCommand('skip', 'End the current bake early.');
