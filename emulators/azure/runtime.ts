/** What runs the releases: a Node process for each volume whose slot is asked, as App Service runs a worker process. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Call, type Upstream, upstreamOf } from '../http.js';
import { freePort, listens, type Running, startProcess } from '../process.js';

/** What a process is started from. */
export interface Launch {
  /** The volume's folder: `/home` of the application. */
  home: string;
  settings: Record<string, string>;
  site: string;
  /** Null: production. */
  slot: string | null;
  host: string;
  /** On Linux a period in the name of a setting reaches the application as an underscore. */
  linux: boolean;
}

interface App {
  running: Running;
  /** Its continuous WebJobs, by name. */
  jobs: Map<string, Running>;
  upstream: Upstream;
  inFlight: number;
  alive: boolean;
}

/** Name of the one machine that there is. */
export const MACHINE = 'lw0';
/** Milliseconds a start may take; App Service's own limit is 230 s. */
const START_WITHIN = 30_000;
/** Milliseconds an old process may still work on what it has begun. */
const DRAIN_WITHIN = 30_000;
/** Milliseconds after a failed start in which requests are refused without another one. */
const FAILED_FOR = 1_000;

/** Processes by the volume that they run from, so that a swap takes them along. */
export class Runtime {
  readonly #apps = new Map<string, App>();
  readonly #starting = new Map<string, Promise<App>>();
  readonly #failed = new Map<string, { at: number; why: string }>();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  isLoaded(content: string): boolean {
    return this.#apps.has(content);
  }

  /** Whether a continuous WebJob of the volume runs. */
  runsJob(content: string, name: string): boolean {
    return this.#apps.get(content)?.jobs.has(name) === true;
  }

  /**
   * Answers one request; the first one starts the process. App Service answers 503 for an application that does not start.
   */
  async ask(content: string, launch: Launch, call: Call): Promise<Answer> {
    let app: App;
    try {
      app = this.#apps.get(content) ?? (await this.#begin(content, launch));
    } catch (error) {
      return page(503, 'Application Error', (error as Error).message);
    }
    app.inFlight += 1;
    try {
      return await app.upstream.call(call);
    } catch (error) {
      return page(502, 'Bad Gateway', (error as Error).message);
    } finally {
      app.inFlight -= 1;
    }
  }

  /**
   * A new process takes over from the old one once it listens, and the old one ends what it has begun: App Service's
   * overlapped recycling. Rejects when the new one does not start; then none runs.
   */
  async restart(content: string, launch: Launch): Promise<void> {
    await this.#starting.get(content)?.catch(() => undefined);
    this.#failed.delete(content);
    const old = this.#apps.get(content);
    try {
      await this.#begin(content, launch);
    } catch (error) {
      if (this.#apps.get(content) === old) this.#apps.delete(content);
      throw error;
    } finally {
      if (old !== undefined) this.#leave(old);
    }
  }

  /** Ends a volume's process, as for a stopped slot or one that nobody asks. */
  async unload(content: string): Promise<void> {
    await this.#starting.get(content)?.catch(() => undefined);
    const app = this.#apps.get(content);
    this.#apps.delete(content);
    if (app !== undefined) this.#leave(app);
    await Promise.all(this.#leaving);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#starting.values());
    const apps = [...this.#apps.values()];
    this.#apps.clear();
    await Promise.all([...apps.map(end), ...this.#leaving]);
  }

  #begin(content: string, launch: Launch): Promise<App> {
    const known = this.#starting.get(content);
    if (known !== undefined) return known;
    const failed = this.#failed.get(content);
    if (failed !== undefined && Date.now() - failed.at < FAILED_FOR) return Promise.reject(new Error(failed.why));
    const starting = this.#start(content, launch)
      .catch((error: Error) => {
        this.#failed.set(content, { at: Date.now(), why: error.message });
        throw error;
      })
      .finally(() => this.#starting.delete(content));
    this.#starting.set(content, starting);
    return starting;
  }

  async #start(content: string, launch: Launch): Promise<App> {
    if (this.#closed) throw new Error('the emulated Azure stops');
    const port = await freePort();
    const running = await startProcess({
      name: `${launch.site}-${launch.slot ?? 'production'}`,
      command: '/bin/sh',
      args: ['-c', `exec ${startCommand(wwwroot(launch.home))}`],
      cwd: wwwroot(launch.home),
      bare: true,
      env: environment(launch, port),
      ports: [port],
      ready: () => listens(port),
      within: START_WITHIN,
      logFile: logFile(launch.home),
      stamped: true,
    });
    const jobs = await startJobs(launch);
    const app: App = { running, jobs, upstream: upstreamOf(`http://127.0.0.1:${port}`), inFlight: 0, alive: true };
    void running.ended.then(() => {
      app.alive = false;
      void endJobs(app);
      if (this.#apps.get(content) === app) this.#apps.delete(content);
    });
    if (this.#closed) await end(app);
    else this.#apps.set(content, app);
    return app;
  }

  #leave(app: App): void {
    const leaving = drain(app).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}

/** Without files the platform shows a page of its own. */
export function isEmpty(home: string): boolean {
  return !existsSync(wwwroot(home)) || readdirSync(wwwroot(home)).length === 0;
}

/** The container's log on the volume, a new one each day. */
function logFile(home: string): string {
  const folder = path.join(home, 'LogFiles');
  mkdirSync(folder, { recursive: true });
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '_');
  return path.join(folder, `${day}_${MACHINE}_default_docker.log`);
}

export function wwwroot(home: string): string {
  return path.join(home, 'site', 'wwwroot');
}

/** Names of the continuous WebJobs that a volume holds ("How WebJobs run in Azure App Service", folder structure). */
export function webJobsIn(home: string): string[] {
  const folder = jobsFolder(home);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'run.js')));
}

function jobsFolder(home: string): string {
  return path.join(wwwroot(home), 'App_Data', 'jobs', 'continuous');
}

/** Every slot runs its jobs, production or not, unless WEBJOBS_STOPPED is 1 there (Kudu's wiki, "WebJobs", configuration settings). */
async function startJobs(launch: Launch): Promise<Map<string, Running>> {
  const jobs = new Map<string, Running>();
  if (launch.settings.WEBJOBS_STOPPED === '1') return jobs;
  for (const name of webJobsIn(launch.home)) {
    const job = await startProcess({
      name: `${launch.site}-${launch.slot ?? 'production'}-job-${name}`,
      command: process.execPath,
      args: ['run.js'],
      cwd: path.join(jobsFolder(launch.home), name),
      bare: true,
      env: { ...environment(launch, 0), WEBJOBS_NAME: name, WEBJOBS_TYPE: 'continuous' },
      ready: async () => true,
      logFile: logFile(launch.home),
      stamped: true,
    });
    jobs.set(name, job);
  }
  return jobs;
}

async function endJobs({ jobs }: App): Promise<void> {
  await Promise.all([...jobs.values()].map((job) => job.stop()));
}

async function drain(app: App): Promise<void> {
  await endJobs(app);
  const until = Date.now() + DRAIN_WITHIN;
  while (app.alive && app.inFlight > 0 && Date.now() < until) await pause(10);
  await end(app);
}

async function end(app: App): Promise<void> {
  app.upstream.close();
  await Promise.all([app.running.stop(), endJobs(app)]);
}

/**
 * As the platform's Node image finds it: the package's start script, else one of the well-known files ("Configure a Node.js
 * app for Azure App Service", container start-up).
 */
function startCommand(folder: string): string {
  const file = path.join(folder, 'package.json');
  if (existsSync(file)) {
    const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts?: { start?: string } };
    if (scripts?.start !== undefined) return scripts.start;
  }
  const known = ['bin/www', 'server.js', 'app.js', 'index.js', 'hostingstart.js'].find((name) =>
    existsSync(path.join(folder, name)),
  );
  if (known !== undefined) return `node ${known}`;
  throw new Error('there is nothing to start: no start script in package.json, and no server.js');
}

/** "Configure an App Service app" on names of settings. */
function environment({ home, settings, site, slot, host, linux }: Launch, port: number): Record<string, string> {
  const passed = Object.entries(settings).map(([name, value]) => [linux ? name.replaceAll('.', '_') : name, value]);
  const named = passed.map(([name, value]) => [`APPSETTING_${name}`, value]);
  return {
    PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: home,
    PORT: String(port),
    WEBSITE_SITE_NAME: site,
    WEBSITE_SLOT_NAME: slot ?? 'Production',
    WEBSITE_HOSTNAME: host,
    ...Object.fromEntries(named),
    ...Object.fromEntries(passed),
  };
}

/** A page as the front door shows one. */
export function page(status: number, title: string, text: string): Answer {
  const body = `<!DOCTYPE html><html><head><title>${title}</title></head><body><h2>${title}</h2><p>${escaped(text)}</p></body></html>`;
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: Buffer.from(body) };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
