import { announce } from './announce'
import { onContent } from './ready'

/**
 * `<span data-expires="2026-11-24T13:10:00Z" data-seconds-left="583" …>` was rendered with a readable text already.
 * Seconds count from the server's figure by a monotonic clock: the visitor's clock may be wrong, the demo's may be moved.
 */
const HOUR = 3600
const DAY = 24 * HOUR
const running = new Set<HTMLElement>()
const deadlines = new WeakMap<HTMLElement, number>()

export function readable(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / HOUR)
  const minutes = Math.floor((seconds % HOUR) / 60)
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

function expire(element: HTMLElement): void {
  running.delete(element)
  const text = element.dataset.expiredText ?? ''
  const box = element.closest<HTMLElement>('[data-countdown]') ?? element
  box.dataset.state = 'expired'
  if (text !== '') box.textContent = text
  announce(text)
  element.dispatchEvent(new CustomEvent('expired', { bubbles: true }))
  const next = element.dataset.expiredHref
  if (next !== undefined) window.setTimeout(() => location.assign(next), 1500)
}

function tick(): void {
  for (const element of running) {
    if (!element.isConnected) {
      running.delete(element)
      continue
    }
    const left = Math.ceil(((deadlines.get(element) ?? 0) - performance.now()) / 1000)
    if (left <= 0) expire(element)
    else if (left <= DAY) show(element, left)
  }
}

function show(element: HTMLElement, left: number): void {
  element.textContent = readable(left)
  const box = element.closest<HTMLElement>('[data-countdown]')
  if (box === null) return
  const total = Number(box.dataset.total ?? 0)
  if (total > 0) box.style.setProperty('--left', String(Math.min(1, left / total)))
  if (left <= 60 && box.dataset.state !== 'soon') {
    box.dataset.state = 'soon'
    announce(box.dataset.soonText ?? '')
  }
}

export function startCountdowns(): void {
  onContent((root) => {
    for (const element of root.querySelectorAll<HTMLElement>('[data-expires][data-seconds-left]')) {
      if (deadlines.has(element)) continue
      deadlines.set(element, performance.now() + Number(element.dataset.secondsLeft) * 1000)
      running.add(element)
    }
    tick()
  })
  window.setInterval(tick, 1000)
  // A page back from the back-forward cache has slept: its figures are the server's business again.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted && running.size > 0) location.reload()
  })
}
