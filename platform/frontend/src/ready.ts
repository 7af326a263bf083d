/** Run `start` once for the page and again for every fragment htmx brings in. */
export function onContent(start: (root: ParentNode) => void): void {
  const run = () => start(document)
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', run, { once: true })
  else run()
  document.addEventListener('htmx:load', (event) => {
    if (event.target instanceof Element && event.target !== document.body) start(event.target)
  })
}

/** A cookie of this host; scripts keep only choices of display here. */
export function writeCookie(name: string, value: string): void {
  const secure = location.protocol === 'https:' ? '; secure' : ''
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax${secure}`
}

/** A sentence the server rendered, in the page's language, on <html data-text-…>. */
export function sentence(name: string): string {
  return document.documentElement.getAttribute(`data-text-${name}`) ?? ''
}
