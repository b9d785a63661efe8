// The parts that pages are made of: heads, states, tables, lists, dialogs, words of success.

import { fresh, h, icon, replace } from './dom.js'

/** The head of a page: where it stands, its title, a sentence, and what can be done. */
export function head(title, { up, note, actions } = {}) {
  document.title = `${title} · Outrigger`
  return h('header', { class: 'head' },
    h('div', {},
      up && h('a', { class: 'up', href: up.href }, icon('back'), up.text),
      h('h1', { tabindex: '-1' }, title),
      note && h('p', { class: 'note' }, note)),
    actions && h('div', { class: 'actions' }, actions))
}

/** A part of a page with a title of its own. */
export const panel = (title, { actions, note } = {}, ...children) =>
  h('section', { class: 'panel', 'aria-label': title },
    h('div', { class: 'panel-head' }, h('h2', {}, title), note && h('p', { class: 'note' }, note), actions && h('div', { class: 'actions' }, actions)),
    children)

/** A word with a colour that says the same. */
export const badge = (word, kind = '') => h('span', { class: `badge ${kind}` }, word)

const KINDS = {
  ok: 'good', succeeded: 'good', active: 'good', fired: 'good',
  running: 'busy', queued: 'busy', waiting: 'busy', scheduled: 'calm', draining: 'calm', paused: 'warn',
  degraded: 'warn', warning: 'warn', cancelled: 'calm', disabled: 'warn', refused: 'warn',
  failed: 'bad', dead: 'bad', down: 'bad', error: 'bad', unreachable: 'bad',
}

/** The badge of a status. */
export const status = (word) => badge(word, KINDS[word] ?? '')

/** While something is on its way. */
export const loading = (lines = 4) =>
  h('div', { class: 'loading', role: 'status' }, h('span', { class: 'hidden' }, 'loading'),
    Array.from({ length: lines }, () => h('div', { class: 'bone' })))

/** There is nothing, and what could be done about it. */
export const empty = (title, text, action) =>
  h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), text && h('p', {}, text), action)

/** What went wrong, in the words of the server, and another try. */
export function fault(error, again) {
  const isAway = error.status === 0 || error.status === 503
  if (error.code === 'no_such_route') return empty('Not served here', 'This process does not expose this part of the API (http.services). Open the console of one that does.')
  const title = isAway ? 'Not available right now' : error.status === 404 ? 'Not found' : 'That did not work'
  return h('div', { class: 'fault', role: 'alert' },
    h('p', { class: 'empty-title' }, title),
    h('p', {}, error.message),
    error.requestId && h('p', { class: 'small' }, 'request ', h('code', {}, error.requestId)),
    again && button('Try again', again))
}

/** Shows what a promise brings, a skeleton before, and a fault instead; `page` is the title of a page of its own. */
export function later(load, show, { lines, signal, page } = {}) {
  const place = h('div', { class: 'later', 'aria-busy': 'true' })
  const run = async () => {
    replace(place, page && head(page), loading(lines))
    try {
      const content = show(await load())
      if (!signal?.aborted) replace(place, content)
    } catch (error) {
      if (error.name !== 'AbortError' && !signal?.aborted) replace(place, page && head(page), fault(error, run))
      if (!(error.status >= 0) && error.name !== 'AbortError') console.error(error)
    }
    place.removeAttribute('aria-busy')
  }
  run()
  place.again = run
  return place
}

/** A button; while its action is on its way it takes no second click. */
export function button(text, action, { kind = '', label, icon: drawing, ...props } = {}) {
  const element = h('button', { type: 'button', class: `button ${kind}`, 'aria-label': label, ...props }, drawing && icon(drawing), text)
  element.addEventListener('click', async () => {
    if (element.getAttribute('aria-disabled') === 'true') return
    element.setAttribute('aria-disabled', 'true')
    try {
      await action(element)
    } catch (error) {
      if (error.name !== 'AbortError') say(error.message, 'bad')
    }
    element.removeAttribute('aria-disabled')
  })
  return element
}

/** A link that looks like a button. */
export const linkButton = (text, href, { kind = '', icon: drawing } = {}) =>
  h('a', { class: `button ${kind}`, href }, drawing && icon(drawing), text)

let words
/** Says something that passes. */
export function say(text, kind = 'good') {
  words ??= document.body.appendChild(h('div', { class: 'words', role: 'status', 'aria-live': 'polite' }))
  const word = h('p', { class: `word ${kind}` }, text)
  words.append(word)
  setTimeout(() => word.remove(), kind === 'bad' ? 9000 : 4500)
}

/** Asks before something that cannot be undone; whether it was agreed to. */
export function sure(title, text, { action = 'Go ahead', kind = 'danger' } = {}) {
  return new Promise((resolve) => {
    const name = fresh('dialog')
    const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': name },
      h('form', { method: 'dialog' },
        h('h2', { id: name }, title), h('p', {}, text),
        h('div', { class: 'actions' },
          h('button', { class: 'button', value: 'no' }, 'Cancel'),
          h('button', { class: `button ${kind}`, value: 'yes' }, action))))
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
    document.body.append(dialog)
    dialog.showModal()
  })
}

/** A table. A column is `{title, cell(row), class}`; on a phone each row is a card. */
export function table(name, columns, rows) {
  const cells = (row) => columns.map(({ title, cell, class: kind }, place) =>
    h(place === 0 ? 'th' : 'td', { scope: place === 0 ? 'row' : undefined, class: kind, data: { title } }, cell(row)))
  const body = h('tbody', {}, rows.map((row) => h('tr', {}, cells(row))))
  const element = h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': name },
    h('table', {},
      h('thead', {}, h('tr', {}, columns.map(({ title, class: kind }) =>
        h('th', { scope: 'col', class: kind }, title || h('span', { class: 'hidden' }, 'actions'))))),
      body))
  element.add = (more) => body.append(...more.map((row) => h('tr', {}, cells(row))))
  return element
}

/** A list of the API, page by page. `load(cursor)` brings `{items, next_cursor}`. */
export function listing(name, columns, load, { none, signal, keep = () => true } = {}) {
  return later(() => load(), (page) => {
    const items = page.items.filter(keep)
    if (!items.length && !page.next_cursor) return none ?? empty('Nothing here yet')
    const rows = table(name, columns, items)
    const more = h('div', { class: 'more' })
    let cursor = page.next_cursor
    const next = () => replace(more, cursor && button('Show more', async () => {
      const following = await load(cursor)
      rows.add(following.items.filter(keep))
      cursor = following.next_cursor
      next()
    }))
    next()
    return [rows, more]
  }, { signal, lines: 6 })
}

/** A field of a form: label, control, help, and what is wrong with it. */
export function field(label, control, { help, name, bare } = {}) {
  const id = fresh('field')
  const wrong = h('p', { class: 'wrong', id: `${id}-wrong` })
  const note = help && h('p', { class: 'help', id: `${id}-help` }, help)
  control.id = id
  control.setAttribute('aria-describedby', help ? `${id}-help ${id}-wrong` : `${id}-wrong`)
  const isCheck = control.type === 'checkbox'
  const element = h('div', { class: isCheck ? 'field check' : bare ? 'field bare' : 'field', data: { name } },
    isCheck ? [control, h('label', { for: id }, label)] : [h('label', { for: id }, label), control], note, wrong)
  element.say = (text) => {
    replace(wrong, text)
    if (text) control.setAttribute('aria-invalid', 'true')
    else control.removeAttribute('aria-invalid')
  }
  element.control = control
  return element
}

/** A choice of words. */
export const select = (options, value, props = {}) => {
  const element = h('select', props, options.map((option) => {
    const [word, text] = Array.isArray(option) ? option : [option, option]
    return h('option', { value: word, selected: word === value }, text)
  }))
  return element
}

/** Names and values. */
export const facts = (pairs) =>
  h('dl', { class: 'facts' }, pairs.filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))))

/** JSON to be read, not edited. */
export const code = (text, name = 'JSON') =>
  h('pre', { class: 'code', tabindex: '0', role: 'region', 'aria-label': name }, h('code', {}, text))

/** In the place of an editor, which would save another number than this one. */
export const unheld = (number, text) => [
  h('div', { class: 'banner', role: 'status' }, `This cannot be edited here: the browser cannot hold the number ${number} exactly, and saving would change it. Use the API.`),
  code(text),
]

/** Tabs that are links: the address says which one is open. */
export const tabs = (name, items, current) =>
  h('nav', { class: 'tabs', 'aria-label': name }, items.map(([word, text, href]) =>
    h('a', { href, 'aria-current': word === current ? 'page' : undefined }, text)))
