import { messageCommand } from './message.js';

export const pause = messageCommand('pause');
