/** Menus are <details data-menu>: they work without script; with it they close as people expect. */
function close(menu: HTMLDetailsElement, focus: boolean): void {
  menu.open = false
  if (focus) menu.querySelector('summary')?.focus()
}

function openMenus(): HTMLDetailsElement[] {
  return [...document.querySelectorAll<HTMLDetailsElement>('details[data-menu][open]')]
}

function move(menu: HTMLDetailsElement, step: number): void {
  const items = [...menu.querySelectorAll<HTMLElement>('a[href], button:not([disabled])')]
  if (items.length === 0) return
  const at = items.findIndex((item) => item === document.activeElement)
  items[(at + step + items.length) % items.length]?.focus()
}

export function startMenus(): void {
  document.addEventListener('click', (event) => {
    for (const menu of openMenus()) if (!(event.target instanceof Node) || !menu.contains(event.target)) close(menu, false)
  })
  document.addEventListener('keydown', (event) => {
    const menu = openMenus().at(-1)
    if (menu === undefined || !menu.contains(document.activeElement)) return
    if (event.key === 'Escape') close(menu, true)
    else if (event.key === 'ArrowDown') move(menu, 1)
    else if (event.key === 'ArrowUp') move(menu, -1)
    else return
    event.preventDefault()
  })
  document.addEventListener('focusin', (event) => {
    for (const menu of openMenus()) if (!(event.target instanceof Node) || !menu.contains(event.target)) close(menu, false)
  })
}
