/** The bytes that a Temporal server answers, as they come over the wire, before anything reads them. */
import { Connection } from '@temporalio/client';
import { NEVER } from '../support/until.js';

type Service = Connection['workflowService'];
interface Listener {
  onReceiveMetadata(metadata: unknown): void;
  onReceiveMessage(message: unknown): void;
  onReceiveStatus(status: unknown): void;
}
interface Calling {
  start(metadata: unknown, listener?: Partial<Listener>): void;
}

export class Wire {
  /** Of the call under way: calls are made one after the other. */
  #last: Buffer[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly connection: Connection) {}

  static async to(address: string): Promise<Wire> {
    let wire: Wire | undefined;
    const tap = (options: unknown, next: (options: unknown) => Calling): Calling => {
      const call = next(options);
      const start = call.start.bind(call);
      call.start = (metadata, listener) =>
        start(metadata, {
          onReceiveMetadata: (given) => listener?.onReceiveMetadata?.(given),
          onReceiveMessage: (message) => {
            if (wire !== undefined && Buffer.isBuffer(message)) wire.#last.push(message);
            listener?.onReceiveMessage?.(message);
          },
          onReceiveStatus: (status) => listener?.onReceiveStatus?.(status),
        });
      return call;
    };
    const connection = await Connection.connect({ address, interceptors: [tap as never] });
    wire = new Wire(connection);
    return wire;
  }

  /** What a call answers, and the bytes it came in. Rejects as the call does. */
  ask<T>(call: (service: Service) => Promise<T>): Promise<{ answer: T; bytes: Buffer }> {
    const mine = this.#turn.then(async () => {
      this.#last = [];
      const answer = await this.connection.withDeadline(Date.now() + NEVER, () =>
        call(this.connection.workflowService),
      );
      return { answer, bytes: Buffer.concat(this.#last) };
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** All texts and bytes in an answer that was read, whatever its shape. */
export function bytesIn(value: unknown): Buffer {
  const found: Buffer[] = [];
  const look = (one: unknown) => {
    if (typeof one === 'string') found.push(Buffer.from(`${one}\n`));
    else if (one instanceof Uint8Array) found.push(Buffer.from(one), Buffer.from('\n'));
    else if (typeof one === 'object' && one !== null) {
      for (const [key, inner] of Object.entries(one)) {
        found.push(Buffer.from(`${key}\n`));
        look(inner);
      }
    }
  };
  look(value);
  return Buffer.concat(found);
}
