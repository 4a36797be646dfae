import { volatileSettings } from '../../../client/modem/kept-settings.ts';
import type { Modem, ModemOptions } from '../../../client/modem/modem.ts';
import { type Code, Code as Codes } from '../../../protocol/coap/message.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { ClientWorld, registry } from './client-world.ts';
import { describe } from './scripted-server.ts';

/** A modem with what it keeps without power, and its server. */
export class ModemWorld extends ClientWorld {
  readonly settings = volatileSettings();
  modemNow!: Modem;

  /** A modem process on the settings that are there; resolves when it is registered. */
  async start(options: Partial<ModemOptions> = {}): Promise<void> {
    const before = this.states.filter((state) => state === 'registered').length;
    this.modemNow = this.modem({ settings: this.settings, ...options });
    await this.settle(this.modemNow.start());
    await this.registered(before + 1);
  }

  /** The modem's process dies, and another begins. */
  async restart(options: Partial<ModemOptions> = {}): Promise<void> {
    await this.settle(this.modemNow.close({ deregister: false }));
    await this.start(options);
  }

  values(path: string): Promise<Record<string, LwM2mRecord['value']>> {
    return this.settle(this.server.values(path));
  }

  async value(path: string): Promise<LwM2mRecord['value'] | undefined> {
    return (await this.values(path))[path];
  }

  /** Code and diagnostic of a Write in text. */
  async write(path: string, text: string): Promise<string> {
    return describe(await this.settle(this.server.writeText(path, text)));
  }

  async execute(path: string, args = ''): Promise<string> {
    return describe(await this.settle(this.server.execute(path, args)));
  }

  /** A request with records in SenML CBOR. */
  async send(code: Code, path: string, records: readonly LwM2mRecord[]): Promise<string> {
    const payload = encodeContent(ContentFormat.SENML_CBOR, path, records, registry);
    return describe(
      await this.settle(this.server.send(code, path, { format: ContentFormat.SENML_CBOR, payload })),
    );
  }

  async delete(path: string): Promise<string> {
    return describe(await this.settle(this.server.send(Codes.DELETE, path)));
  }
}
