/** Titles that promises are held against. */
export const titles = {
  registration: 'registration',
  newcomer: 'registration of a new device and its de-registration, by turns',
  update: 'update',
  notification: (pack: number) =>
    `confirmable notification, ${pack === 1 ? '1 reading' : `${pack} readings`}`,
  redis: (title: string) => `${title}, Redis`,
} as const;
