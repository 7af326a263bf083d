/**
 * `<div data-look-in="5" data-look-at="/…">`: after so many seconds the page is asked for again, quietly. Whoever reads
 * it is disturbed only where it says something else by now; without scripts the page has a refresh for the same.
 */
function said(root: Document): string {
  return [...root.querySelectorAll('main h1, main [role=alert]')].map((part) => part.textContent).join('\n')
}

function wait(mark: HTMLElement): void {
  const at = mark.dataset.lookAt ?? ''
  window.setTimeout(() => void look(at, Number(mark.dataset.lookIn)), Number(mark.dataset.lookIn) * 1000)
}

async function look(at: string, seconds: number): Promise<void> {
  let page: Document
  try {
    const answer = await fetch(at)
    if (answer.redirected) return location.replace(answer.url)
    page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  } catch {
    window.setTimeout(() => void look(at, seconds), seconds * 1000) // offline: the page stays, and looks later
    return
  }
  const next = page.querySelector<HTMLElement>('[data-look-in]')
  if (next === null || said(page) !== said(document)) location.replace(at)
  else wait(next)
}

export function startLooking(): void {
  const mark = document.querySelector<HTMLElement>('[data-look-in]')
  if (mark !== null) wait(mark)
}
