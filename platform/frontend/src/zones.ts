import { onContent } from './ready'

/**
 * Wall times come from the server (L2); the script only tells it the visitor's zone. Where the server knows none yet
 * (<html data-zone-unknown>), the first page that offers the select reports the browser's and asks once for itself again.
 */
const ASKED = 'zone-told'

async function tell(zone: string, token: string): Promise<boolean> {
  const body = new URLSearchParams({ zone, csrf_token: token, next: location.pathname + location.search })
  const answer = await fetch('/zone', { method: 'POST', body, redirect: 'manual' })
  return answer.ok || answer.type === 'opaqueredirect'
}

async function firstVisit(): Promise<void> {
  const form = document.querySelector<HTMLFormElement>('form[data-zone-form]')
  if (form === null || !document.documentElement.hasAttribute('data-zone-unknown')) return
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const token = form.querySelector<HTMLInputElement>('input[name="csrf_token"]')?.value ?? ''
  // Cookies refused: never ask in a circle.
  if (zone === undefined || zone === form.dataset.shownZone || sessionStorage.getItem(ASKED) !== null) return
  sessionStorage.setItem(ASKED, zone)
  if (await tell(zone, token)) location.reload()
}

export function startZones(): void {
  onContent(() => void firstVisit())
  document.addEventListener('change', (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.hasAttribute('data-zone-select')) {
      event.target.form?.requestSubmit()
    }
  })
}
