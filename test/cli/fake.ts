/** A client in memory, and a host that keeps what was printed. */
import { Readable } from 'node:stream';
import { type Host, run } from '../../src/cli/main.js';
import type {
  Approvals,
  Diagnosis,
  ListEntry,
  Sluice,
  Snapshot,
  StartAnswer,
  WatchOptions,
} from '../../src/client/types.js';
import { SluiceError } from '../../src/model/errors.js';
import type { RolloutView } from '../../src/model/view.js';
import { NOW } from './views.js';

export class FakeSluice implements Sluice {
  readonly address = 'fake:7233';
  readonly namespace = 'default';
  calls: [string, ...unknown[]][] = [];
  closed = 0;
  /** What `status` sees, and `watch` one after the other. */
  seen: RolloutView[] = [];
  /** After all of `seen` the watch waits for its signal. */
  stays = false;
  answers: Partial<Record<keyof Sluice, unknown>> = {};
  fails: Partial<Record<keyof Sluice, SluiceError>> = {};
  onSeen: (at: number) => void = () => undefined;

  private async answer<T>(name: keyof Sluice, args: unknown[], otherwise: T): Promise<T> {
    this.calls.push([name, ...args]);
    const failure = this.fails[name];
    if (failure !== undefined) throw failure;
    return (this.answers[name] as T | undefined) ?? otherwise;
  }

  start(...args: unknown[]) {
    return this.answer<StartAnswer>('start', args, {
      state: 'started',
      workflowId: 'checkout/production',
      run: 'run-1',
      tookPlaceOf: null,
    });
  }
  async status(...args: unknown[]): Promise<Snapshot> {
    const [view] = this.seen;
    if (view === undefined) this.fails.status ??= new SluiceError('SLUICE_NO_ROLLOUT', 'there is no rollout');
    return this.answer('status', args, { view: view ?? null, ended: view?.phase === 'done', trouble: null });
  }
  async rollout(...args: unknown[]) {
    const [view] = this.seen;
    if (view === undefined) this.fails.rollout ??= new SluiceError('SLUICE_NO_ROLLOUT', 'there is no rollout');
    return this.answer('rollout', args, view as RolloutView);
  }
  approvals(...args: unknown[]) {
    return this.answer<Approvals>('approvals', args, { open: [], unasked: [] });
  }
  audit(...args: unknown[]) {
    return this.answer<Awaited<ReturnType<Sluice['audit']>>>('audit', args, { entries: [], signer: null });
  }
  verb(...args: Parameters<Sluice['verb']>) {
    const [, verb, { stage = this.seen[0]?.waitingFor?.stage ?? undefined }] = args;
    const answer = { verb, phase: 'baking' as const, message: 'goes on' };
    return this.answer('verb', args, stage === undefined ? answer : { ...answer, stage });
  }
  async *watch(_target: unknown, options: WatchOptions = {}): AsyncGenerator<Snapshot> {
    const { signal: _signal, ...whom } = options;
    this.calls.push(['watch', _target, whom]);
    for (const [at, view] of this.seen.entries()) {
      this.onSeen(at);
      yield { view, ended: view.phase === 'done', trouble: null };
    }
    if (!this.stays) return;
    await new Promise<void>((resolve) => {
      if (options.signal?.aborted !== false) resolve();
      else options.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  async wait(): Promise<Snapshot> {
    return { view: this.seen.at(-1) ?? null, ended: true, trouble: null };
  }
  list(...args: unknown[]) {
    return this.answer<ListEntry[]>('list', args, []);
  }
  releases(...args: unknown[]) {
    return this.answer('releases', args, []);
  }
  history(...args: unknown[]) {
    return this.answer('history', args, []);
  }
  undo(...args: unknown[]) {
    return this.answer<StartAnswer>('undo', args, {
      state: 'started',
      workflowId: 'checkout/production',
      run: 'run-2',
      tookPlaceOf: null,
    });
  }
  unhold(...args: unknown[]) {
    return this.answer('unhold', args, { by: 'ann' });
  }
  plan(...args: unknown[]) {
    return this.answer('plan', args, null as never);
  }
  prune(...args: unknown[]) {
    return this.answer('prune', args, []);
  }

  sweep(...args: unknown[]) {
    return this.answer('sweep', args, []);
  }
  adopt(...args: unknown[]) {
    return this.answer('adopt', args, null as never);
  }
  callers(...args: unknown[]) {
    return this.answer('callers', args, { steps: [], digest: 'd' });
  }
  moveCallers(...args: unknown[]) {
    return this.answer('moveCallers', args, { done: [], left: [] });
  }
  async close() {
    this.closed += 1;
  }
}

export interface Played {
  code: number;
  out: string;
  err: string;
  /** stdout's lines as JSON. */
  json(): unknown[];
}

export interface Scene {
  sluice?: FakeSluice;
  unreachable?: boolean;
  tty?: { columns: number; rows: number };
  env?: Record<string, string>;
  cwd?: string;
  signal?: AbortSignal;
  now?: () => number;
  diagnosis?: Diagnosis;
  /** A page that is opened would be seen. */
  screen?: boolean;
  openPage?: (file: string) => Promise<void>;
  /** What is piped in, in these chunks. */
  stdin?: AsyncIterable<Uint8Array>;
}

/** Runs `sluice ARGV` in this process. */
export async function play(argv: string[], scene: Scene = {}): Promise<Played> {
  const out: string[] = [];
  const err: string[] = [];
  const size = scene.tty === undefined ? {} : { isTTY: true, ...scene.tty };
  const host: Host = {
    stdout: { write: (text: string) => out.push(text), ...size },
    stderr: { write: (text: string) => err.push(text), ...size },
    stdin: () => scene.stdin ?? Readable.from([]),
    env: { USER: 'root', ...scene.env },
    cwd: scene.cwd ?? process.cwd(),
    signal: scene.signal ?? new AbortController().signal,
    now: scene.now ?? (() => NOW),
    connect: async () => {
      if (scene.unreachable === true) throw new SluiceError('SLUICE_UNREACHABLE', 'no Temporal server answers at x:1');
      return scene.sluice ?? new FakeSluice();
    },
    diagnose: async () => {
      if (scene.diagnosis === undefined) throw new Error('this scene has no diagnosis');
      return scene.diagnosis;
    },
    hasScreen: () => scene.screen === true,
    openPage: scene.openPage ?? (async () => undefined),
  };
  const code = await run(argv, host);
  const json = () =>
    out
      .join('')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
  return { code, out: out.join(''), err: err.join(''), json };
}

export function seeing(...views: RolloutView[]): FakeSluice {
  const sluice = new FakeSluice();
  sluice.seen = views;
  return sluice;
}
