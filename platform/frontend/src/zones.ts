import { onContent, readCookie, writeCookie } from './ready'

/**
 * Wall times come from the server (L2); the script only tells it the visitor's zone. The first visit writes the
 * browser's zone into the cookie and asks once for the page again where it shows times; the select then changes it.
 */
const COOKIE = 'zone'

function firstVisit(): void {
  if (readCookie(COOKIE) !== undefined) return
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (zone === undefined || zone === '') return
  writeCookie(COOKIE, zone)
  const shown = document.querySelector<HTMLElement>('[data-shown-zone]')?.dataset.shownZone
  const kept = readCookie(COOKIE) === zone // cookies refused: never reload in a circle
  if (kept && shown !== undefined && shown !== zone && document.querySelector('[data-error-summary]') === null) {
    location.replace(location.href)
  }
}

export function startZones(): void {
  onContent(firstVisit)
  document.addEventListener('change', (event) => {
    if (!(event.target instanceof HTMLSelectElement) || !event.target.hasAttribute('data-zone-select')) return
    writeCookie(COOKIE, event.target.value)
    if (event.target.form === null || event.target.form.hasAttribute('data-zone-form')) location.reload()
  })
}
