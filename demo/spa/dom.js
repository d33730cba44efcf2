export const byId = (id) => document.getElementById(id)

/**
 * Makes an element; `text` and children are text, never markup.
 *
 * @param options `text`, `class`, `data`, and attributes by their names
 */
export function create(tag, { text, class: className, data = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag)
  if (className !== undefined) element.className = className
  if (text !== undefined) element.textContent = text
  Object.assign(element.dataset, data)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** Fills a message box; without a title it goes away. */
export function say(id, [title, text] = [], errorId = undefined) {
  const parts = [
    ['strong', title],
    ['p', text],
    ['small', errorId && `Error id: ${errorId}`],
  ]
  const elements = parts.filter(([, content]) => content).map(([tag, content]) => create(tag, { text: content }))
  byId(id).replaceChildren(...elements)
  byId(id).hidden = elements.length === 0
}

/** Runs what a button does, once at a time. */
export function runOnClick(button, action) {
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return
    button.ariaBusy = 'true'
    try {
      await action()
    } finally {
      button.ariaBusy = 'false'
    }
  })
}
