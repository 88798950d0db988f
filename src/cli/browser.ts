/** The user's browser, by the system's own command. */
import { spawn } from 'node:child_process';

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer.exe' };

/** Whether the user would see a window: not over SSH, and on Linux only with a display. */
export function hasScreen(env: Record<string, string | undefined>): boolean {
  if ((env.SSH_CONNECTION ?? '') !== '') return false;
  return process.platform in OPENERS || (env.DISPLAY ?? env.WAYLAND_DISPLAY ?? '') !== '';
}

/** `page`: a file or an address. Resolves once the system's opener has started; rejects if there is none. */
export function openPage(page: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(OPENERS[process.platform] ?? 'xdg-open', [page], { detached: true, stdio: 'ignore' });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
