/** Addresses of releases, asked of the platform once in a while: a probe is called up to twenty times a second, and a platform's own API is not. */
import type { Spec } from '../../src/model/spec.js';
import type { Address, CallContext, PlatformDriver } from '../platform/platform.js';

/** ms for which an address is believed. Somebody else's change of the target is noticed by then. */
const BELIEVED = 10_000;

export class Addresses implements Pick<PlatformDriver, 'address'> {
  private readonly known = new Map<string, { address: Promise<Address>; at: number }>();

  /** `now`: ms since some moment. */
  constructor(
    private readonly driver: Pick<PlatformDriver, 'address'>,
    private readonly now: () => number,
  ) {}

  /** Errors: the driver's; the next call asks again. */
  async address(ctx: CallContext, args: { spec: Spec; version: string }): Promise<Address> {
    const known = this.known.get(args.version);
    if (known !== undefined && this.now() - known.at < BELIEVED) return known.address;
    const asked = { address: this.driver.address(ctx, args), at: this.now() };
    this.known.set(args.version, asked);
    try {
      return await asked.address;
    } catch (error) {
      if (this.known.get(args.version) === asked) this.known.delete(args.version);
      throw error;
    }
  }
}
