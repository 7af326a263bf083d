/** Native <dialog>: the platform traps and returns the focus; this only opens, closes and knows the backdrop. */
export function startDialogs(): void {
  document.addEventListener('click', (event) => {
    if (!(event.target instanceof Element)) return
    const opener = event.target.closest<HTMLElement>('[data-dialog-open]')
    if (opener !== null) {
      const dialog = document.getElementById(opener.dataset.dialogOpen ?? '')
      if (dialog instanceof HTMLDialogElement) {
        event.preventDefault()
        dialog.showModal()
      }
      return
    }
    if (event.target.closest('[data-dialog-close]') !== null) {
      event.target.closest('dialog')?.close()
      return
    }
    // The backdrop belongs to the dialog element itself, its content to the panel inside.
    if (event.target instanceof HTMLDialogElement && event.target.hasAttribute('data-light')) event.target.close()
  })
}
