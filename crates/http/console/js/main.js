// The console: signing in, the frame around the pages, and which page is shown.

import { health, onSignedOut, signIn, signOut, whoAmI } from './api.js'
import { fresh, h, icon, replace } from './dom.js'
import { button, fault, field, head, loading, say } from './parts.js'
import { audit } from './pages/audit.js'
import { collection, collections, definition } from './pages/collections.js'
import { doctor } from './pages/doctor.js'
import { overview } from './pages/overview.js'
import { record } from './pages/record.js'
import { replicas } from './pages/replicas.js'
import { schedules } from './pages/schedules.js'
import { settings } from './pages/settings.js'
import { task } from './pages/task.js'
import { tasks } from './pages/tasks.js'
import { templates } from './pages/templates.js'
import { user, users } from './pages/users.js'

const BASE = '/console'
const PAGES = [
  ['', overview], ['replicas', replicas], ['collections', collections], ['new-collection', definition],
  ['collections/:name', collection], ['collections/:name/definition', definition],
  ['collections/:name/new', record], ['collections/:name/records/:id', record],
  ['users', users], ['users/:id', user], ['tasks', tasks], ['tasks/:id', task], ['schedules', schedules],
  ['templates', templates], ['audit', audit], ['settings', settings], ['doctor', doctor],
].map(([pattern, page]) => [pattern.split('/'), page])

const PLACES = [
  ['', [['', 'Overview', 'overview', 'o'], ['replicas', 'Replicas', 'replicas', 'r']]],
  ['Data', [['collections', 'Collections', 'collections', 'c'], ['users', 'Users', 'users', 'u']]],
  ['Work', [['tasks', 'Tasks', 'tasks', 't'], ['schedules', 'Schedules', 'schedules', 's'], ['templates', 'Messages', 'templates', 'm']]],
  ['System', [['audit', 'Audit log', 'audit', 'a'], ['settings', 'Settings', 'settings', 'e'], ['doctor', 'Doctor', 'doctor', 'd']]],
]

const main = h('main', { id: 'main', tabindex: '-1' })
const dot = h('span', { class: 'dot' })
const state = h('a', { class: 'state', href: `${BASE}/replicas` }, dot, h('span', {}, 'Connecting'))
let leaving = new AbortController()
let me = null

const here = () => location.pathname.slice(BASE.length).replace(/^\/|\/$/g, '')

function find() {
  const parts = here().split('/').map(decodeURIComponent)
  for (const [pattern, page] of PAGES) {
    if (pattern.length !== parts.length) continue
    const params = {}
    const fits = pattern.every((part, at) => {
      if (!part.startsWith(':')) return part === parts[at]
      params[part.slice(1)] = parts[at]
      return parts[at] !== ''
    })
    if (fits) return { page, params }
  }
  return null
}

/** Repeats something while the page is open and somebody looks at it. */
function every(ms, signal, action) {
  const again = async () => {
    if (signal.aborted) return
    if (!document.hidden) await Promise.resolve(action()).catch(() => {})
    if (!signal.aborted) setTimeout(again, ms)
  }
  setTimeout(again, ms)
}

async function show({ focus = true } = {}) {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const found = find()
  const place = here().split('/')[0].replace('new-collection', 'collections')
  for (const link of document.querySelectorAll('.nav a')) {
    if (link.dataset.place === place) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  document.body.classList.remove('nav-open')
  document.querySelector('.menu')?.setAttribute('aria-expanded', 'false')
  const query = Object.fromEntries(new URLSearchParams(location.search))
  if (!found) replace(main, head('Not found'), h('p', {}, 'There is no such page.'))
  else {
    try {
      const content = found.page({ params: found.params, query, signal, go, me, every: (ms, action) => every(ms, signal, action) })
      replace(main, content)
    } catch (error) {
      replace(main, head('Something went wrong'), fault(error))
    }
  }
  main.dataset.place = location.pathname
  if (focus) main.querySelector('h1')?.focus({ preventScroll: true })
  window.scrollTo(0, 0)
}

/** Goes to another place of the console; with `silent`, only the address changes. */
function go(href, { silent = false, instead = false } = {}) {
  history[instead ? 'replaceState' : 'pushState'](null, '', href)
  if (!silent) show()
}

function theme(change) {
  const next = change ?? localStorage.getItem('outrigger-theme') ?? ''
  if (next) document.documentElement.dataset.theme = next
  else delete document.documentElement.dataset.theme
  if (change !== undefined) localStorage.setItem('outrigger-theme', next)
}

function otherTheme() {
  const isDark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches
  theme(isDark ? 'light' : 'dark')
}

function frame() {
  const menu = h('button', { class: 'menu plain', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'nav', 'aria-label': 'Menu' }, icon('menu'))
  menu.addEventListener('click', () => {
    const isOpen = document.body.classList.toggle('nav-open')
    menu.setAttribute('aria-expanded', String(isOpen))
  })
  const groups = PLACES.map(([title, places]) => {
    const name = fresh('nav')
    return h('div', { class: 'nav-group' }, title && h('h2', { id: name }, title),
      h('ul', { 'aria-labelledby': title ? name : undefined }, places.map(([place, text, drawing, key]) =>
        h('li', {}, h('a', { href: place ? `${BASE}/${place}` : BASE, data: { place }, 'aria-keyshortcuts': `g ${key}` }, icon(drawing), text)))))
  })
  const brand = h('a', { class: 'brand', href: BASE }, h('span', { class: 'brand-mark', 'aria-hidden': 'true' }), 'Outrigger')
  return [
    h('a', { class: 'skip', href: '#main' }, 'Skip to the content'),
    h('header', { class: 'bar' }, menu, brand, state),
    h('nav', { class: 'nav', id: 'nav', 'aria-label': 'Console' }, groups,
      h('div', { class: 'nav-foot' },
        h('p', { class: 'small who', title: me.email }, me.email),
        h('div', { class: 'actions' },
          button('', otherTheme, { kind: 'plain', label: 'Light or dark', icon: 'light' }),
          button('Sign out', signOut, { kind: 'plain', icon: 'out' })))),
    main,
  ]
}

let watching
async function watch() {
  clearTimeout(watching)
  if (!me) return
  if (!document.hidden) {
    const { status, checks } = await health()
    const wrong = Object.entries(checks ?? {}).filter(([, check]) => check.status !== 'ok').map(([name]) => name)
    dot.className = `dot ${status}`
    const words = { ok: 'All is well', degraded: `Without ${wrong.join(', ')}`, down: `Down: ${wrong.join(', ')}`, draining: 'Draining' }
    replace(state.lastChild, words[status] ?? 'Cannot be reached')
  }
  clearTimeout(watching)
  watching = setTimeout(watch, 5000)
}

function enter(user) {
  me = user
  document.body.className = 'inside'
  replace(document.body, frame())
  show({ focus: false })
  watch()
}

function signInPage() {
  leaving.abort()
  me = null
  document.title = 'Sign in · Outrigger'
  document.body.className = 'outside'
  const email = field('E-mail address', h('input', { type: 'email', name: 'email', required: true, autocomplete: 'username' }))
  const password = field('Password', h('input', { type: 'password', name: 'password', required: true, autocomplete: 'current-password' }))
  const wrong = h('p', { class: 'wrong', role: 'alert' })
  const submit = h('button', { class: 'button primary', type: 'submit' }, 'Sign in')
  const form = h('form', { class: 'sign-in' },
    h('span', { class: 'brand-mark', 'aria-hidden': 'true' }), h('h1', {}, 'Outrigger'),
    h('p', { class: 'note' }, 'The console is for administrators.'), email, password, wrong, submit)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    submit.disabled = true
    replace(wrong)
    try {
      enter(await signIn(email.control.value, password.control.value))
    } catch (error) {
      replace(wrong, error.message)
      password.control.value = ''
      password.control.focus()
    }
    submit.disabled = false
  })
  replace(document.body, h('main', { class: 'door' }, form))
  email.control.focus()
}

function keys() {
  let isGoing = false
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !me) return
    if (event.target.matches('input, textarea, select') || document.querySelector('dialog[open]')) return
    const places = PLACES.flatMap(([, all]) => all)
    const place = isGoing && places.find(([, , , key]) => key === event.key)
    isGoing = event.key === 'g' && !isGoing
    if (place) go(place[0] ? `${BASE}/${place[0]}` : BASE)
    if (event.key === '/') {
      const filter = main.querySelector('input[type=search]')
      if (filter) {
        event.preventDefault()
        filter.focus()
      }
    }
    if (event.key === '?') say(`g and then: ${places.map(([, text, , key]) => `${key} ${text}`).join(' · ')}   / filter`, 'calm')
  })
}

function links() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href]')
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return
    const to = new URL(link.href)
    const isOurs = to.origin === location.origin && (to.pathname === BASE || to.pathname.startsWith(`${BASE}/`))
    if (!isOurs || link.hash) return
    event.preventDefault()
    go(to.pathname + to.search)
  })
  window.addEventListener('popstate', () => me && show())
}

async function start() {
  theme()
  keys()
  links()
  onSignedOut(() => me && signInPage())
  replace(document.body, h('main', { class: 'door' }, loading(3)))
  try {
    const user = await whoAmI()
    if (user) enter(user)
    else signInPage()
  } catch (error) {
    replace(document.body, h('main', { class: 'door' }, fault(error, () => location.reload())))
  }
}

start()
