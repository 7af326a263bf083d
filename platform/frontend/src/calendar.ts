import { Calendar, type EventDisplayInfo, type EventInput } from 'fullcalendar'
import dayGrid from 'fullcalendar/daygrid'
import list from 'fullcalendar/list'
import classic from 'fullcalendar/themes/classic'
import timeGrid from 'fullcalendar/timegrid'
import { announce } from './announce'
import { sentence } from './ready'
import { toast } from './toasts'

/**
 * `<div data-calendar data-source="/calendar/events" …>`: the endpoint answers `{"events": [WallEvent]}` for `?from=&to=`
 * (dates). Times are wall-time strings of the specialist's zone without any offset; declaring them UTC on both sides makes
 * the widget print them as they are (L2: scripts never convert zones).
 */
interface WallEvent {
  id: string
  title: string
  start: string
  end: string
  kind: 'appointment' | 'hold' | 'proposal' | 'time_off' | 'external' | 'available'
  state?: string
  portal?: string
  hue?: number
  href?: string
  all_day?: boolean
  note?: string
}

const VIEWS = { day: 'timeGridDay', week: 'timeGridWeek', month: 'dayGridMonth', list: 'listWeek' } as const
type ViewName = keyof typeof VIEWS

function viewName(text: string | undefined): ViewName {
  return text !== undefined && text in VIEWS ? (text as ViewName) : 'week'
}

const SHORT = 45 * 60_000

function isShort(event: WallEvent): boolean {
  return Date.parse(`${event.end}Z`) - Date.parse(`${event.start}Z`) < SHORT
}

function asInput(event: WallEvent): EventInput {
  const background = event.kind === 'available'
  const hue = event.hue === undefined ? 'hue-none' : `hue-${event.hue}`
  return {
    id: event.id,
    title: event.title,
    start: event.start,
    end: event.end,
    allDay: event.all_day ?? false,
    display: background ? 'background' : 'block',
    class: ['event', `event-${event.kind}`, isShort(event) ? 'event-short' : '', hue, event.state === undefined ? '' : `state-${event.state}`].join(' '),
    ...(event.href === undefined ? {} : { url: event.href }),
    extendedProps: { portal: event.portal ?? '', note: event.note ?? '' },
  }
}

function line(className: string, text: string): HTMLElement {
  const element = document.createElement('span')
  element.className = className
  element.textContent = text
  return element
}

function content(info: EventDisplayInfo): { domNodes: Node[] } {
  const about = [String(info.event.extendedProps.portal ?? ''), String(info.event.extendedProps.note ?? '')]
  const box = document.createElement('span')
  box.className = 'event-body'
  box.title = [info.timeText, info.event.title, ...about].filter((text) => text !== '').join(' · ')
  box.append(line('event-time', info.timeText), line('event-title', info.event.title))
  for (const text of about) if (text !== '') box.append(line('event-about', text))
  return { domNodes: [box] }
}

/** The server's wall time at rendering, moved on by a monotonic clock: neither zone nor clock of the device matters. */
function wallClock(start: string): () => string {
  const base = Date.parse(`${start}Z`)
  const opened = performance.now()
  return () => new Date(base + performance.now() - opened).toISOString().slice(0, 19)
}

async function load(source: string, from: string, to: string): Promise<EventInput[]> {
  const url = new URL(source, location.href)
  url.searchParams.set('from', from.slice(0, 10))
  url.searchParams.set('to', to.slice(0, 10))
  const answer = await fetch(url, { headers: { Accept: 'application/json' } })
  if (!answer.ok) throw new Error(`${answer.status}`)
  const { events } = (await answer.json()) as { events: WallEvent[] }
  return events.map(asInput)
}

function controls(root: HTMLElement, calendar: Calendar): void {
  const frame = root.closest<HTMLElement>('[data-calendar-frame]') ?? root
  frame.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-calendar-go]') : null
    const where = button?.dataset.calendarGo
    if (where === 'prev') calendar.prev()
    else if (where === 'next') calendar.next()
    else if (where === 'today') calendar.today()
    else if (where !== undefined && where in VIEWS) calendar.changeView(VIEWS[where as ViewName])
  })
}

/**
 * The widget calls itself a grid but moves by no arrow keys, and its hours scroll inside where no key reaches. Said
 * honestly it is groups named by their day, with links in them, and a part that can be scrolled (WCAG 2.1.1, 4.1.2).
 */
function nameHonestly(root: HTMLElement): void {
  const roles = ['grid', 'rowgroup', 'row', 'gridcell', 'columnheader', 'rowheader']
  for (const part of root.querySelectorAll<HTMLElement>(roles.map((role) => `[role="${role}"]`).join())) {
    for (const name of part.getAttributeNames()) if (/^aria-(col|row)/.test(name)) part.removeAttribute(name)
    if (part.hasAttribute('aria-label')) part.setAttribute('role', 'group')
    else part.removeAttribute('role')
  }
  for (const part of root.querySelectorAll<HTMLElement>('[style*="overflow"]')) {
    if (part.scrollHeight > part.clientHeight) part.tabIndex = 0
  }
}

function showWhere(root: HTMLElement, title: string, view: string): void {
  const frame = root.closest<HTMLElement>('[data-calendar-frame]') ?? root
  for (const element of frame.querySelectorAll('[data-calendar-title]')) element.textContent = title
  for (const button of frame.querySelectorAll<HTMLElement>('[data-calendar-go]')) {
    const name = button.dataset.calendarGo ?? ''
    if (name in VIEWS) button.setAttribute('aria-pressed', String(VIEWS[name as ViewName] === view))
  }
}

function start(root: HTMLElement): void {
  const { source, now, locale, firstDay, scrollTo, allDayText, emptyText, date } = root.dataset
  if (source === undefined || now === undefined) return
  const narrow = window.matchMedia('(width < 48rem)').matches
  const calendar = new Calendar(root, {
    plugins: [dayGrid, timeGrid, list, classic],
    headerToolbar: false,
    timeZone: 'UTC',
    now: wallClock(now),
    initialDate: date ?? now.slice(0, 10),
    initialView: VIEWS[narrow ? 'day' : viewName(root.dataset.view)],
    locale: locale === undefined || locale === 'en' ? 'en-GB' : locale, // days before months, 24 hours
    direction: document.documentElement.dir === 'rtl' ? 'rtl' : 'ltr',
    firstDay: Number(firstDay ?? 1),
    scrollTime: scrollTo ?? '07:30',
    allDayText: allDayText ?? '',
    noEventsText: emptyText ?? '',
    nowIndicator: true,
    navLinks: false,
    dayMaxEvents: 4,
    expandRows: true,
    height: '100%',
    eventTimeFormat: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    slotHeaderFormat: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    eventContent: content,
    events: (range, resolve, reject) => {
      load(source, range.startStr, range.endStr).then(resolve, (error: unknown) => {
        toast(sentence('offline'), 'critical')
        reject(error instanceof Error ? error : new Error(String(error)))
      })
    },
    datesSet: (info) => {
      showWhere(root, info.view.title, info.view.type)
      announce(info.view.title)
      window.setTimeout(() => nameHonestly(root), 100)
    },
  })
  controls(root, calendar)
  calendar.render()
  document.body.addEventListener('live:appointment', () => calendar.refetchEvents())
}

for (const root of document.querySelectorAll<HTMLElement>('[data-calendar]')) start(root)
