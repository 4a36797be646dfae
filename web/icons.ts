import { svg } from 'lit';

/** Drawings of 20 by 20 in the colour of the text beside them. */
export const icons = {
  overview: svg`<path d="M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z"/>`,
  devices: svg`<path d="M5 2.5h6.5L15 6v11.5H5z"/><path d="M7.5 9.5h5v5h-5zM10 9.5v5"/>`,
  commands: svg`<path d="m3.5 6 4 4-4 4M10 14.5h6.5"/>`,
  jobs: svg`<path d="M3.5 5h9M3.5 10h9M3.5 15h5M15 4.5v6M12 7.5l3 3 3-3"/>`,
  cluster: svg`<path d="M3.5 3.5h13v5h-13zM3.5 11.5h13v5h-13zM6.5 6h.01M6.5 14h.01"/>`,
  settings: svg`<path d="M3.5 6h6M13.5 6h3M3.5 14h3M10.5 14h6"/><circle cx="11.5" cy="6" r="2"/><circle cx="8.5" cy="14" r="2"/>`,
} as const;
