import { io } from 'socket.io-client'
import { announce } from './announce'
import { sentence } from './ready'
import { toast } from './toasts'

/**
 * The Specialist Portal's live channel. `counts` {name: number} fills [data-live="name"]; `appointment` announces one and
 * lets fragments with hx-trigger="live:appointment from:body" fetch themselves again. Nothing steals the focus.
 */
type Counts = Record<string, number>
interface AppointmentNews {
  text: string
  href?: string
}

function showCounts(counts: Counts): void {
  for (const [name, count] of Object.entries(counts)) {
    for (const element of document.querySelectorAll<HTMLElement>(`[data-live="${CSS.escape(name)}"]`)) {
      if (element.textContent === String(count)) continue
      element.textContent = String(count)
      element.toggleAttribute('data-empty', count === 0)
      element.dataset.changed = ''
      window.setTimeout(() => delete element.dataset.changed, 1200)
    }
  }
  document.body.dispatchEvent(new CustomEvent('live:counts', { bubbles: true, detail: counts }))
}

function showState(connected: boolean): void {
  document.documentElement.dataset.line = connected ? 'live' : 'lost'
  for (const element of document.querySelectorAll<HTMLElement>('[data-live-state]')) {
    element.textContent = sentence(connected ? 'live' : 'lost')
  }
}

const socket = io({ transports: ['websocket', 'polling'], reconnectionDelayMax: 20_000 })
socket.on('connect', () => showState(true))
socket.on('disconnect', () => showState(false))
socket.on('connect_error', () => showState(false))
socket.on('counts', showCounts)
socket.on('appointment', (news: AppointmentNews) => {
  toast(news.text, 'neutral', news.href)
  announce(news.text)
  document.body.dispatchEvent(new CustomEvent('live:appointment', { bubbles: true, detail: news }))
})
