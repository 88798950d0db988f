/** What the chaos rounds run on: a real Temporal server with a file database, an emulated cloud with faults, workers, users. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Running } from '../../emulators/process.js';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { startWorkerProcess } from '../../src/demo/stack.js';
import { Traffic } from '../../src/demo/traffic.js';
import type { Ground } from './ground.js';

export interface World {
  temporal: LocalTemporal;
  ground: Ground;
  worker: Running;
  client: Client;
  traffic: Traffic;
  folder: string;
  /** SIGKILL the worker; a new one takes over. */
  crashWorker(): Promise<void>;
  /** SIGKILL the server; it comes back on the same port with the same database. */
  crashServer(): Promise<void>;
  /** A second worker beside a frozen one. */
  anotherWorker(): Promise<Running>;
  stop(): Promise<void>;
}

/** Requests a second that users send all the time, in each lane. */
const PER_SECOND = 2;

export async function startWorld(folder: string, startGround: () => Promise<Ground>): Promise<World> {
  mkdirSync(folder, { recursive: true });
  const dbFile = path.join(folder, 'temporal.db');
  let temporal = await startTemporal({ dbFile, headless: true });
  const ground = await startGround();
  const port = temporal.port;
  const another = () =>
    startWorkerProcess({
      temporal: temporal.address,
      folder,
      env: { ...ground.env, SLUICE_CALLS_PER_SECOND: '100' },
    });
  let worker = await another();
  const connection = await Connection.connect({ address: temporal.address });
  const extra: Running[] = [];
  const traffic = new Traffic(ground.users(), PER_SECOND);
  const world: World = {
    temporal,
    ground,
    worker,
    client: new Client({ connection }),
    traffic,
    folder,
    crashWorker: async () => {
      await worker.kill9();
      worker = await another();
      world.worker = worker;
    },
    crashServer: async () => {
      await temporal.kill9();
      temporal = await startTemporal({ dbFile, port, headless: true });
      world.temporal = temporal;
    },
    anotherWorker: async () => {
      const second = await another();
      extra.push(second);
      return second;
    },
    stop: async () => {
      await traffic.stop();
      await Promise.allSettled([worker.stop(), ...extra.map((each) => each.stop())]);
      await connection.close();
      await temporal.stop();
      await ground.stop();
    },
  };
  return world;
}
