/**
 * `data-shortcut="g t"` on a link or button: press g, then t. `?` opens #shortcuts, `/` goes to the search field.
 * WCAG 2.1.4: single keys can be switched off, in the same dialog.
 */
const PATIENCE = 1200
let waiting = ''
let since = 0

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function switchedOff(): boolean {
  return localStorage.getItem('shortcuts') === 'off'
}

function pressed(key: string): void {
  const sequence = performance.now() - since < PATIENCE && waiting !== '' ? `${waiting} ${key}` : key
  const target = document.querySelector<HTMLElement>(`[data-shortcut="${CSS.escape(sequence).replaceAll('\\ ', ' ')}"]`)
  waiting = target === null && sequence === key ? key : ''
  since = performance.now()
  if (target instanceof HTMLInputElement) target.focus()
  else target?.click()
}

export function startShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return
    if (switchedOff() || document.querySelector('dialog[open]') !== null || event.key.length !== 1) return
    const before = waiting
    pressed(event.key)
    if (waiting === '' || before !== '') event.preventDefault()
  })
  const box = document.querySelector<HTMLInputElement>('[data-shortcuts-switch]')
  if (box === null) return
  box.checked = !switchedOff()
  box.addEventListener('change', () => localStorage.setItem('shortcuts', box.checked ? 'on' : 'off'))
}
