import { sentence } from './ready'

export type Tone = 'positive' | 'caution' | 'critical' | 'neutral'

const STAYS_FOR = 8000

/** Say something in the corner, and to screen readers, without taking the focus. */
export function toast(text: string, tone: Tone = 'neutral', href?: string): void {
  const region = document.getElementById('toasts')
  if (region === null || text === '') return
  const item = document.createElement('div')
  item.className = 'toast'
  item.dataset.tone = tone
  const words = document.createElement(href === undefined ? 'p' : 'a')
  words.textContent = text
  if (words instanceof HTMLAnchorElement && href !== undefined) words.href = href
  item.append(words, closeButton(item))
  region.append(item)
  if (tone !== 'critical') dismissLater(item)
}

function closeButton(item: HTMLElement): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'toast-close'
  button.setAttribute('aria-label', sentence('close'))
  button.textContent = '×'
  button.addEventListener('click', () => item.remove())
  return button
}

/** WCAG 2.2.1: nobody who is reading it, by pointer or focus, loses it. */
function dismissLater(item: HTMLElement): void {
  let timer = 0
  const arm = () => {
    timer = window.setTimeout(() => item.remove(), STAYS_FOR)
  }
  const hold = () => window.clearTimeout(timer)
  item.addEventListener('pointerenter', hold)
  item.addEventListener('focusin', hold)
  item.addEventListener('pointerleave', arm)
  item.addEventListener('focusout', arm)
  arm()
}

export function startToasts(): void {
  document.addEventListener('click', (event) => {
    if (event.target instanceof Element) event.target.closest('[data-dismiss]')?.closest('.toast, .alert')?.remove()
  })
  document.addEventListener('toast', (event) => {
    const detail = (event as CustomEvent<{ text?: string; value?: string; tone?: Tone; href?: string }>).detail
    toast(detail.text ?? detail.value ?? '', detail.tone, detail.href)
  })
}
