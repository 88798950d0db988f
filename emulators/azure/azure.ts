/** The emulated Azure: state, processes and front door of one subscription, behind servers of its own on loopback. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type Answer, type Call, json, type OnCall, parse } from '../http.js';
import { actionOf, allows, publishAction, type Role } from './actions.js';
import { armError } from './answers.js';
import type { ArmCall } from './arm-call.js';
import type { Certificates } from './certificates.js';
import { type FaultRule, Faults } from './faults.js';
import { route, withCookie } from './front.js';
import { type Client, entra, managedIdentity, Tokens } from './identity.js';
import { kudu, makeVolume } from './kudu.js';
import type { Write, WriteLog } from './log.js';
import { type Content, DEPLOY, LOCATION, releaseIn, type Site, type Slot, slotNamed, slotsOf } from './model.js';
import { isEmpty, page, Runtime } from './runtime.js';
import { type Handler, type Listener, listen, type Reaction } from './server.js';
import { hostOf, idOf, type Store, scmOf } from './store.js';
import { runSwap, type WarmUp } from './swap.js';
import { type Limit, Throttle } from './throttle.js';
import { Traffic } from './traffic.js';
import { challenge, isVault, READ_SECRET, vault } from './vaults.js';

export interface Parts {
  /** Serves management requests. */
  arm: (azure: Azure, call: Call) => ArmCall;
  store: Store;
  certificates: Certificates;
  log: WriteLog;
  client: Client;
  /** Whose tokens the vaults take. */
  tenant: string;
  /** What IDENTITY_HEADER must say. */
  identityHeader: string;
  /** What callers may do; null: everything. */
  role: Role | null;
  throttle: boolean | { reads: Limit };
  warmUp: WarmUp;
  retryAfterSeconds: number;
  metricsDelayMs: number;
  afterWrite?: (write: Write) => Promise<void>;
  onCall?: OnCall;
}

export interface NewSite {
  name: string;
  resourceGroup: string;
  plan: string;
  location: string;
  kind: string;
  tags: Record<string, string>;
}

export class Azure {
  readonly faults = new Faults();
  readonly traffic = new Traffic();
  readonly runtime = new Runtime();
  /** What callers needed a permission for, so far. */
  readonly actions = new Set<string>();
  readonly #listeners = new Map<string, Listener>();
  readonly #restarts = new Map<string, Promise<void>>();
  readonly #swaps = new Set<Promise<void>>();
  readonly #tokens: Tokens;
  readonly #throttle: Throttle | null;

  constructor(readonly parts: Parts) {
    this.#tokens = new Tokens(parts.store.data.tokenKey);
    const { throttle } = parts;
    this.#throttle = throttle === false ? null : throttle === true ? new Throttle() : new Throttle(throttle.reads);
  }

  get store(): Store {
    return this.parts.store;
  }

  get endpoint(): string {
    return `https://127.0.0.1:${this.store.data.ports.arm}`;
  }

  get retryAfterSeconds(): number {
    return this.parts.retryAfterSeconds;
  }

  /** Opens all addresses that the state names, and goes on with what a crash has interrupted. */
  async open(): Promise<void> {
    const { ports, sites } = this.store.data;
    const { certificates } = this.parts;
    const about = { tokens: this.#tokens, header: this.parts.identityHeader };
    const identity = async (call: Call) => managedIdentity(call, about);
    ports.arm = await this.#listen(ports.arm, certificates, (call, gone) => this.#control(call, gone));
    ports.identity = await this.#listen(ports.identity, null, identity);
    for (const site of sites) for (const slot of slotsOf(site)) await this.#openSlot(site, slot);
    this.store.save();
    this.#resume();
  }

  async close(): Promise<void> {
    this.faults.clear();
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    await this.runtime.close();
    await Promise.allSettled([...this.#swaps, ...this.#restarts.values()]);
  }

  async createSite(asked: NewSite): Promise<Site> {
    const site: Site = {
      ...asked,
      production: this.#newSlot(null),
      slots: [],
      sticky: [],
      operation: null,
      prepared: null,
      swapped: null,
    };
    await this.#openSlot(site, site.production);
    this.store.data.sites.push(site);
    this.store.save();
    return site;
  }

  async createSlot(site: Site, name: string): Promise<Slot> {
    const slot = this.#newSlot(name);
    await this.#openSlot(site, slot);
    site.slots.push(slot);
    this.store.save();
    return slot;
  }

  /** A slot, or the whole site. */
  async remove(site: Site, slot: Slot): Promise<void> {
    const { data } = this.store;
    const gone = slot.name === null ? slotsOf(site) : [slot];
    if (slot.name === null) data.sites = data.sites.filter((one) => one !== site);
    else site.slots = site.slots.filter((one) => one !== slot);
    this.store.save();
    for (const each of gone) {
      await this.runtime.unload(each.content.id);
      for (const port of [each.port, each.scmPort]) {
        await this.#listeners.get(String(port))?.close();
        this.#listeners.delete(String(port));
      }
      rmSync(this.store.home(each.content), { recursive: true, force: true });
    }
  }

  /**
   * Lets a slot run with what its state says now: after writes of its settings the platform restarts it by itself. One that
   * nobody has asked yet, and one that is stopped, starts with the next request. Settles when the restart is over.
   */
  restart(site: Site, slot: Slot): Promise<void> {
    return this.#restart(site, slot.content, () => slot.running && this.runtime.isLoaded(slot.content.id));
  }

  /** Accepts a swap; answers its operation's id. */
  startSwap(site: Site, slot: Slot): string {
    const id = randomUUID();
    site.operation = { id, slot: slot.name ?? '', phase: 'applying' };
    this.store.data.operations[id] = null;
    this.store.save();
    this.#swap(site);
    return id;
  }

  #swap(site: Site): void {
    const { store, runtime, faults } = this;
    const swapping = runSwap({ store, runtime, faults, warmUp: this.parts.warmUp }, site).finally(() =>
      this.#swaps.delete(swapping),
    );
    this.#swaps.add(swapping);
  }

  #restart(site: Site, content: Content, wanted: () => boolean): Promise<void> {
    const before = this.#restarts.get(content.id) ?? Promise.resolve();
    const mine = before.then(async () => {
      // A later restart has the same state to start from.
      if (this.#restarts.get(content.id) !== settled || !wanted()) return;
      const slot = slotsOf(site).find((one) => one.content === content);
      if (slot !== undefined) await this.runtime.restart(content.id, this.store.launch(site, slot));
    });
    const settled: Promise<void> = mine
      .catch(() => undefined)
      .finally(() => {
        if (this.#restarts.get(content.id) === settled) this.#restarts.delete(content.id);
      });
    this.#restarts.set(content.id, settled);
    return settled;
  }

  #newSlot(name: string | null): Slot {
    const content: Content = { id: randomUUID(), deployments: [] };
    makeVolume(this.store.home(content));
    return {
      name,
      port: 0,
      scmPort: 0,
      settings: {},
      configuration: {},
      auth: { platform: { enabled: false } },
      content,
      running: true,
      instances: 1,
      before: null,
    };
  }

  async #openSlot(site: Site, slot: Slot): Promise<void> {
    const { certificates } = this.parts;
    const user: Handler = (call, gone) => this.faults.meet('Host', () => this.#user(site, slot, call), gone);
    slot.port = await this.#listen(slot.port, certificates, user);
    const scm: Handler = (call, gone) => this.#kudu(site, slot, call, gone);
    slot.scmPort = await this.#listen(slot.scmPort, certificates, scm);
  }

  /** Answers the port: the one that was asked for, a free one for 0. */
  async #listen(port: number, certificates: Certificates | null, handler: Handler): Promise<number> {
    const seen: Handler = async (call, gone) => {
      const reaction = await handler(call, gone);
      this.parts.onCall?.(call, reaction === 'reset' ? null : reaction);
      return reaction;
    };
    const listener = await listen(port, certificates, seen);
    this.#listeners.set(String(listener.port), listener);
    return listener.port;
  }

  /** After SIGKILL: deployments that were at work have failed, swaps go on where their state says they are. */
  #resume(): void {
    for (const site of this.store.data.sites) {
      for (const one of slotsOf(site).flatMap((slot) => slot.content.deployments)) {
        if (one.ended === null)
          Object.assign(one, {
            status: DEPLOY.failed,
            text: 'the deployment was interrupted',
            ended: new Date().toISOString(),
          });
        if (one.runtime === 'RuntimeStarting')
          one.runtime = one.status === DEPLOY.success ? 'RuntimeSuccessful' : 'RuntimeFailed';
      }
      this.store.save();
      if (site.operation !== null) this.#swap(site);
    }
  }

  // What comes in

  /** A user's request to a host of a site. */
  async #user(site: Site, at: Slot, call: Call): Promise<Answer> {
    const started = performance.now();
    const began = Date.now();
    const { slot, cookie } = at.name === null ? route(site, call, Math.random) : { slot: at, cookie: null };
    if (!slot.running)
      return withCookie(
        page(403, 'Site Disabled', 'The web app you have attempted to reach is currently stopped.'),
        cookie,
      );
    if (isEmpty(this.store.home(slot.content)))
      return withCookie(page(200, 'Azure App Service', 'Your web app is running and waiting for your content'), cookie);
    const release = releaseIn(slot) ?? 'unknown';
    const answer = await this.runtime.ask(slot.content.id, this.store.launch(site, slot), call);
    const probe = call.headers['x-sluice-probe'] !== undefined;
    this.traffic.add({
      resource: idOf(this.store, site, slot),
      release: probe ? `${release} (probes)` : release,
      status: answer.status,
      seconds: (performance.now() - started) / 1000,
      at: began,
    });
    return withCookie(answer, cookie);
  }

  async #kudu(site: Site, slot: Slot, call: Call, gone: AbortSignal): Promise<Reaction> {
    const refused = this.#refused(call, publishAction(slot.name));
    if (refused !== null) return refused;
    const { content } = slot;
    const side = {
      slot,
      home: this.store.home(content),
      host: scmOf(slot),
      save: () => this.store.save(),
      fault: () => this.faults.meetWork('Deploy'),
      restart: () => this.#started(site, content),
      newId: () => randomUUID(),
    };
    const { operation, write, serve } = kudu(side, call);
    return this.faults.meet(
      operation,
      () => this.#logged(operation, write ? { site: site.name, slot: slot.name } : null, serve),
      gone,
    );
  }

  /** The deployed files run, or do not: told by the process that has started with them. */
  async #started(site: Site, content: Content): Promise<void> {
    await this.#restarts.get(content.id);
    const slot = slotsOf(site).find((one) => one.content === content);
    if (slot === undefined || !slot.running) return;
    if (isEmpty(this.store.home(content))) await this.runtime.unload(content.id);
    else await this.runtime.restart(content.id, this.store.launch(site, slot));
  }

  /** ARM, Entra, Azure Monitor and the vaults share an address; their paths tell them apart. */
  async #control(call: Call, gone: AbortSignal): Promise<Reaction> {
    if (call.path.startsWith('/_sluice/')) return this.#ownPage(call);
    const token = entra(call, { base: this.endpoint, tokens: this.#tokens, client: this.parts.client });
    if (token !== null) return token;
    if (isVault(call.path)) return this.#vault(call, gone);
    const refused = this.#refused(call, actionOf(call));
    if (refused !== null) return refused;
    if (/\/metrics:getbatch(\?|$)/i.test(call.path)) {
      const about = { region: LOCATION, delayMs: this.parts.metricsDelayMs };
      return this.faults.meet('QueryMetrics', async () => this.traffic.metrics(call, about), gone);
    }
    const throttled = this.#throttle?.refuses(call.method) ?? null;
    if (throttled !== null) return throttled;
    const { operation, write, serve } = this.parts.arm(this, call);
    const logged = () => this.#logged(operation, write, serve);
    const reaction = await this.faults.meet(operation, logged, gone, write?.site ?? null);
    if (reaction === 'reset') return reaction;
    const request = randomUUID();
    return {
      ...reaction,
      headers: {
        'x-ms-request-id': request,
        'x-ms-correlation-request-id': request,
        ...this.#throttle?.headers(),
        ...reaction.headers,
      },
    };
  }

  async #vault(call: Call, gone: AbortSignal): Promise<Reaction> {
    if (call.headers.authorization === undefined) return challenge(`${this.endpoint}/${this.parts.tenant}`);
    const refused = this.#refused(call, READ_SECRET);
    if (refused !== null) return refused;
    return this.faults.meet('GetSecret', async () => vault(call, this.store.data.secrets), gone);
  }

  #refused(call: Call, action: string | null): Answer | null {
    const holder = this.#tokens.holder(call.headers.authorization);
    if (holder === null)
      return armError(401, 'InvalidAuthenticationToken', 'The access token is missing, invalid or expired.');
    if (action === null) return null;
    this.actions.add(action);
    const { role } = this.parts;
    if (role === null || allows(role, action)) return null;
    return armError(
      403,
      'AuthorizationFailed',
      `The client '${holder}' does not have authorization to perform action '${action}' over scope '${call.path.split('?')[0]}' or the scope is invalid.`,
    );
  }

  async #logged(
    operation: string,
    write: { site: string; slot: string | null } | null,
    serve: () => Promise<Answer>,
  ): Promise<Answer> {
    const answer = await serve();
    if (write === null) return answer;
    const noted = this.note(operation, write, answer);
    await this.parts.afterWrite?.(noted);
    return answer;
  }

  /** Logs a write with what the site is at after it. */
  note(operation: string, where: { site: string; slot: string | null }, answer: Answer): Write {
    return this.parts.log.add(operation, { ...where, answer }, this.#site(where.site));
  }

  /** The emulator's own pages, for who started it as a process. */
  async #ownPage(call: Call): Promise<Answer> {
    const body = parse(call.body);
    switch (`${call.method} ${call.path}`) {
      case 'GET /_sluice/writes':
        return json(200, this.parts.log.all());
      case 'GET /_sluice/traffic':
        return json(200, this.traffic.byRelease());
      case 'GET /_sluice/actions':
        return json(200, [...this.actions].sort());
      case 'PUT /_sluice/faults':
        this.faults.set((body.rules ?? []) as FaultRule[]);
        return json(200, {});
      case 'DELETE /_sluice/faults':
        this.faults.clear();
        return json(200, {});
      case 'PUT /_sluice/secrets':
        this.store.data.secrets = body as Record<string, string>;
        this.store.save();
        return json(200, {});
      default:
        return json(404, {});
    }
  }

  /** Host of a site or of its slot, as ARM tells it; null: there is none. */
  hostOf(name: string, slotName: string | null): string | null {
    const site = this.#site(name);
    const slot = site === undefined ? undefined : slotNamed(site, slotName);
    return slot === undefined ? null : hostOf(slot);
  }

  #site(name: string): Site | undefined {
    return this.store.data.sites.find((site) => site.name === name);
  }
}
