/** Read a sentence to screen readers; the region exists in every layout. */
export function announce(text: string): void {
  const region = document.getElementById('announcer')
  if (region === null || text === '') return
  region.textContent = ''
  // A change in the same task is not announced by every reader.
  window.setTimeout(() => {
    region.textContent = text
  }, 50)
}
