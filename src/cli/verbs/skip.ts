import { messageCommand } from './message.js';

export const skip = messageCommand('skip');
