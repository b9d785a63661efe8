// Users and their sessions.

import { get, patch, path, remove } from '../api.js'
import { h } from '../dom.js'
import { instant, time } from '../format.js'
import { badge, button, empty, facts, field, head, later, listing, panel, say, status, sure } from '../parts.js'

const href = (id) => `/console/users/${encodeURIComponent(id)}`

const COLUMNS = [
  { title: 'User', cell: (it) => h('a', { href: href(it.id) }, it.email) },
  { title: 'Name', cell: (it) => it.name ?? h('span', { class: 'none' }, '–') },
  { title: 'Role', cell: (it) => badge(it.role, it.role === 'admin' ? 'busy' : '') },
  { title: 'State', cell: (it) => h('span', { class: 'badges' }, status(it.disabled ? 'disabled' : 'active'), !it.email_verified && badge('not verified')) },
  { title: 'Registered', cell: (it) => time(it.created_at), class: 'narrow' },
  { title: 'Id', cell: (it) => h('span', { class: 'mono small' }, it.id), class: 'id' },
]

export function users({ query, signal, go }) {
  const wanted = (query.q ?? '').trim().toLowerCase()
  const search = h('input', { type: 'search', value: query.q ?? '', placeholder: 'address, name, role or id' })
  const find = field('Filter', search)
  find.classList.add('wide')
  const form = h('form', { class: 'filters', role: 'search' }, find)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const text = search.value.trim()
    if (/^usr_/.test(text)) go(href(text))
    else go(text ? `/console/users?q=${encodeURIComponent(text)}` : '/console/users')
  })
  const load = (cursor) => get(path(['users'], { limit: 100, cursor }), { signal })
  const keep = (it) => !wanted || [it.email, it.name, it.role, it.id].join(' ').toLowerCase().includes(wanted)
  const none = empty('Nobody has registered yet', 'Users register themselves, or are made on the command line.')
  return [
    head('Users', { note: 'In the order in which they registered. The filter looks at the pages shown; an id opens its user.' }),
    form, listing('Users', COLUMNS, load, { signal, none, keep }),
  ]
}

function sessions(id, signal) {
  const load = (cursor) => get(path(['users', id, 'sessions'], { limit: 50, cursor }), { signal })
  const revoke = async (it) => {
    const words = it.current ? 'This is the session that you are using: you will be signed out.' : 'Its next request is refused, on every replica.'
    if (!(await sure('End this session?', words, { action: 'End the session' }))) return
    await remove(path(['users', id, 'sessions', it.id]))
    say('Session ended.')
    place.again()
  }
  const columns = [
    { title: 'Session', cell: (it) => [h('span', { class: 'mono small' }, it.id), ' ', it.current && badge('yours', 'busy')] },
    { title: 'Client', cell: (it) => it.user_agent ?? h('span', { class: 'none' }, 'not said') },
    { title: 'From', cell: (it) => it.address ?? '–' },
    { title: 'Started', cell: (it) => time(it.created_at), class: 'narrow' },
    { title: 'Renewed', cell: (it) => time(it.last_refreshed_at), class: 'narrow' },
    { title: 'Ends', cell: (it) => time(it.expires_at), class: 'narrow' },
    { title: '', cell: (it) => button('End', () => revoke(it), { kind: 'danger little', label: `End the session ${it.id}` }), class: 'end-actions' },
  ]
  const place = listing('Sessions', columns, load, { signal, none: empty('No live session', 'Nobody is signed in to this account.') })
  const all = button('End all', async () => {
    if (!(await sure('End all sessions?', 'The user is signed out everywhere and has to sign in again.', { action: 'End all sessions' }))) return
    await remove(path(['users', id, 'sessions']))
    say('All sessions ended.')
    place.again()
  }, { kind: 'danger little' })
  return panel('Sessions', { actions: all }, place)
}

function account(it, page) {
  const role = field('Role', h('input', { type: 'text', value: it.role, list: 'roles', required: true }), { help: 'user, admin, or a role that the rules of collections name.' })
  const disabled = field('Disabled', h('input', { type: 'checkbox', checked: it.disabled }), { help: 'Cannot sign in; all sessions end.' })
  const form = h('form', {}, h('datalist', { id: 'roles' }, ['user', 'admin', 'worker'].map((value) => h('option', { value }))),
    role, disabled, h('button', { class: 'button primary', type: 'submit' }, 'Save'))
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    role.say('')
    // Only what was changed here: the rest may have been changed elsewhere since the page was loaded.
    const wanted = { role: role.control.value, disabled: disabled.control.checked }
    const changes = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== it[name]))
    try {
      await patch(path(['users', it.id]), changes)
      say('Saved.')
      page.go(href(it.id), { instead: true })
    } catch (error) {
      if (error.errors.length) role.say(error.errors.map((one) => one.message).join('; '))
      else say(error.message, 'bad')
    }
  })
  const forget = button('Delete the user', async () => {
    if (!(await sure(`Delete ${it.email}?`, 'The account and its sessions are deleted at once; records that the user created stay. This cannot be undone.', { action: 'Delete the user' }))) return
    await remove(path(['users', it.id]))
    say('User deleted.')
    page.go('/console/users')
  }, { kind: 'danger' })
  return [
    head(it.email, { up: { href: '/console/users', text: 'Users' }, note: it.name ?? '', actions: forget }),
    h('div', { class: 'columns' },
      panel('Account', {}, facts([
        ['Id', h('span', { class: 'mono' }, it.id)], ['Registered', instant(it.created_at)], ['Changed', instant(it.updated_at)],
        ['E-mail address', it.email_verified ? 'verified' : 'not verified'], ['Locale', it.locale], ['Time zone', it.time_zone], ['Currency', it.currency],
      ])),
      panel('Rights', {}, form)),
    sessions(it.id, page.signal),
  ]
}

export function user(page) {
  return later(() => get(path(['users', page.params.id]), { signal: page.signal }), (it) => account(it, page), { signal: page.signal, page: 'User' })
}
