import { writeCookie } from './ready'

const LOOKS = ['auto', 'light', 'dark'] as const
type Look = (typeof LOOKS)[number]

/** Light, dark or as the device: kept in a cookie, so that the server renders the next page right from the start. */
function apply(look: Look): void {
  if (look === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = look
  writeCookie('look', look)
  for (const button of document.querySelectorAll<HTMLElement>('[data-look]')) {
    button.setAttribute('aria-pressed', String(button.dataset.look === look))
  }
}

export function startLook(): void {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-look]') : null
    const look = LOOKS.find((name) => name === button?.dataset.look)
    if (look !== undefined) apply(look)
  })
}
