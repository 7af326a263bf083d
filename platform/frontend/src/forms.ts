import { onContent } from './ready'

/** A second press while the first is on its way does nothing; the server refuses doubles anyway (idempotency). */
function guardDoubleSubmit(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented || form.method === 'dialog') return
    if (form.dataset.sending !== undefined) {
      event.preventDefault()
      event.stopImmediatePropagation()
      return
    }
    form.dataset.sending = ''
    markBusy(event.submitter, true)
  })
  document.addEventListener('htmx:afterRequest', (event) => {
    if (event.target instanceof HTMLFormElement) release(event.target)
  })
  window.addEventListener('pageshow', () => document.querySelectorAll<HTMLFormElement>('form[data-sending]').forEach(release))
}

function markBusy(button: HTMLElement | null, busy: boolean): void {
  if (busy) button?.setAttribute('aria-busy', 'true')
  else button?.removeAttribute('aria-busy')
}

function release(form: HTMLFormElement): void {
  delete form.dataset.sending
  form.querySelectorAll<HTMLElement>('[aria-busy]').forEach((button) => markBusy(button, false))
}

/** After a refused form the summary has the focus: what was wrong is the first thing heard. */
function focusOnErrors(): void {
  onContent((root) => root.querySelector<HTMLElement>('[data-error-summary]')?.focus())
}

/** Selects and checkboxes of filters apply at once; without script the form has its button. */
function autoSubmit(): void {
  document.addEventListener('change', (event) => {
    if (event.target instanceof Element) event.target.closest<HTMLFormElement>('form[data-auto-submit]')?.requestSubmit()
  })
}

function showPasswords(): void {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-reveal]') : null
    const input = button === null ? null : document.getElementById(button.dataset.reveal ?? '')
    if (button === null || !(input instanceof HTMLInputElement)) return
    const shown = input.type === 'text'
    input.type = shown ? 'password' : 'text'
    button.setAttribute('aria-pressed', String(!shown))
  })
}

export function startForms(): void {
  guardDoubleSubmit()
  focusOnErrors()
  autoSubmit()
  showPasswords()
}
