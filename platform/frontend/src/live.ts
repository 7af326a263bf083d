import { io } from 'socket.io-client'
import { announce } from './announce'
import { sentence } from './ready'
import { toast } from './toasts'

/**
 * The Specialist Portal's live channel. After `counts` the page asks for its numbers and fills [data-live="name"];
 * `appointment` announces that appointments changed and lets fragments with hx-trigger="live:appointment from:body"
 * fetch themselves again. Nothing steals the focus.
 */
type Counts = Record<string, number>
let filled = false

function showCounts(counts: Counts): void {
  for (const [name, count] of Object.entries(counts)) {
    for (const element of document.querySelectorAll<HTMLElement>(`[data-live="${CSS.escape(name)}"]`)) {
      if (element.textContent === String(count)) continue
      element.textContent = String(count)
      element.toggleAttribute('data-empty', count === 0)
      if (!filled) continue // the first numbers are no change
      element.dataset.changed = ''
      window.setTimeout(() => delete element.dataset.changed, 1200)
    }
  }
  filled = true
  document.body.dispatchEvent(new CustomEvent('live:counts', { bubbles: true, detail: counts }))
}

function showState(connected: boolean): void {
  document.documentElement.dataset.line = connected ? 'live' : 'lost'
  for (const element of document.querySelectorAll<HTMLElement>('[data-live-state]')) {
    element.textContent = sentence(connected ? 'live' : 'lost')
  }
}

/** Events say only that something changed; what it is, the page asks for, and every request is authorized anew. */
async function refresh(): Promise<void> {
  const answer = await fetch('/live/counts', { headers: { Accept: 'application/json' } })
  if (answer.ok && !answer.redirected) showCounts((await answer.json()) as Counts)
}

const socket = io({ transports: ['websocket', 'polling'], reconnectionDelayMax: 20_000 })
socket.on('connect', () => {
  showState(true)
  void refresh()
})
socket.on('disconnect', () => showState(false))
socket.on('connect_error', () => showState(false))
socket.on('counts', () => void refresh())
socket.on('appointment', () => {
  const text = sentence('appointments')
  toast(text, 'neutral', '/appointments')
  announce(text)
  document.body.dispatchEvent(new CustomEvent('live:appointment', { bubbles: true }))
  void refresh()
})
