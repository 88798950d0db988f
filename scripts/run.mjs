#!/usr/bin/env node
/** `node scripts/run.mjs PROGRAM ARGS…`: the set-up, then a program of the build, with this terminal and its signals. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ROOT, ready } from './setup.mjs';

const [program, ...args] = process.argv.slice(2);
if (!(await ready())) process.exit(1);
process.removeAllListeners('SIGINT');
process.removeAllListeners('SIGTERM');
const child = spawn(process.execPath, ['--enable-source-maps', '--disable-warning=ExperimentalWarning', path.join(ROOT, program), ...args], { stdio: 'inherit', cwd: ROOT });
// Ctrl-C reaches the program by the terminal; it ends what it started and says how it ended.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.once('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
