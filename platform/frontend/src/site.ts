import htmx from 'htmx.org'
import { startCountdowns } from './countdowns'
import { startDialogs } from './dialogs'
import { startForms } from './forms'
import { startLook } from './look'
import { startLooking } from './looking'
import { startMenus } from './menus'
import { sentence } from './ready'
import { startShortcuts } from './shortcuts'
import { startToasts, toast } from './toasts'
import { startZones } from './zones'

function configureHtmx(): void {
  htmx.config.allowEval = false
  htmx.config.allowScriptTags = false
  htmx.config.includeIndicatorStyles = false // an inline <style> would break the content security policy
  htmx.config.selfRequestsOnly = true
  htmx.config.historyCacheSize = 0 // pages about people are not kept in local storage
  htmx.config.responseHandling = [
    { code: '204', swap: false },
    { code: '[23]..', swap: true },
    { code: '4(09|10|22)', swap: true, error: false },
    { code: '[45]..', swap: false, error: true },
  ]
  document.addEventListener('htmx:configRequest', (event) => {
    const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content
    const detail = (event as CustomEvent<{ headers: Record<string, string> }>).detail
    if (token !== undefined) detail.headers['X-CSRFToken'] = token
  })
  document.addEventListener('htmx:responseError', () => toast(sentence('refused'), 'critical'))
  document.addEventListener('htmx:sendError', () => toast(sentence('offline'), 'critical'))
}

document.documentElement.dataset.script = ''
configureHtmx()
startToasts()
startMenus()
startDialogs()
startForms()
startCountdowns()
startZones()
startLook()
startLooking()
startShortcuts()
