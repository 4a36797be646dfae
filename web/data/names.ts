/** Names come from devices: they may be empty, or as long as a message. */
const mostCharacters = 60;

/** So much of a text as a line can show, with `…` where something was left out. */
export function clipped(text: string, most: number = mostCharacters): string {
  const characters = Array.from(text.slice(0, 2 * most + 2));
  return characters.length <= most
    ? text
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
}

/** What a carrier is called on the page: one without a name goes by its id. */
export function carrierLabel({ id, name }: { readonly id: number; readonly name: string }): string {
  return name.trim() === '' ? `Carrier ${id}` : clipped(name);
}
