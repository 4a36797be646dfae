import { portfolioObject } from '../../../objects/portfolio.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { instance, type ObjectInstance, type ObjectTree } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import type { KeptSettings } from '../kept-settings.ts';
import { writeAll } from '../written-values.ts';
import { InstanceStore, parsePairs } from './instance-store.ts';

type Identity = ReadonlyMap<number, string>;

const mostTexts = 16;
const longestText = 255;

/** The Portfolio object: identities that servers keep in the modem; the first is the modem's own, as GSMA has it. */
export function addPortfolio(tree: ObjectTree, settings: KeptSettings, own: Identity): void {
  const store = new InstanceStore<Identity>({
    settings,
    section: 'portfolio',
    asMade: new Map([[0, own]]),
    most: 8,
    mostSize: 16_384,
    sizeOf: (identity) => [...identity.values()].reduce((size, text) => size + text.length, 0),
    toJson: (identity) => [...identity],
    fromJson: (json) => parsePairs(json, (text) => (typeof text === 'string' ? text : undefined)),
  });
  const show = (id: number): ObjectInstance<never> =>
    instance(portfolioObject, id, {
      identity: {
        read: () => store.get(id) ?? new Map<number, string>(),
        check(value) {
          const texts = [...(value as Identity).values()];
          if (texts.length > mostTexts || texts.some((text) => text.length > longestText)) {
            throw new OperationError(
              Code.BAD_REQUEST,
              `at most ${mostTexts} texts of ${longestText} characters`,
            );
          }
        },
        write: (value) => store.set(id, value as Identity),
      },
    }) as ObjectInstance<never>;
  tree.addObject(portfolioObject, {
    async create(id, records) {
      store.set(id, new Map());
      const made = show(id);
      try {
        await writeAll(made, records);
      } catch (error) {
        store.delete(id);
        throw error;
      }
      return made as ObjectInstance;
    },
    delete: ({ id }) => store.delete(id),
  });
  const showAll = (): void => {
    for (const id of [...(tree.object(portfolioObject.id)?.instances.keys() ?? [])]) {
      tree.remove(portfolioObject.id, id);
    }
    for (const id of store.ids) tree.add(show(id));
  };
  showAll();
  settings.onClear(showAll);
}
