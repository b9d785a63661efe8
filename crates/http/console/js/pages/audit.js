// Who did what.

import { get, path } from '../api.js'
import { h } from '../dom.js'
import { instant } from '../format.js'
import { empty, field, head, listing, status } from '../parts.js'

const person = (actor) => (actor.startsWith('usr_') ? h('a', { href: `/console/users/${encodeURIComponent(actor)}`, class: 'mono' }, actor) : actor)

const details = (it) => {
  const pairs = Object.entries(it.details ?? {})
  return pairs.length ? h('span', { class: 'mono small' }, pairs.map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`).join('  ')) : null
}

const COLUMNS = [
  { title: 'When', cell: (it) => h('time', { datetime: it.time }, instant(it.time)), class: 'narrow' },
  { title: 'What', cell: (it) => [h('span', {}, it.action), ' ', it.outcome !== 'succeeded' && status(it.outcome)] },
  { title: 'Who', cell: (it) => person(it.actor) },
  { title: 'To what', cell: (it) => (it.target ? (it.target.startsWith('usr_') ? person(it.target) : h('span', { class: 'mono' }, it.target)) : h('span', { class: 'none' }, '–')) },
  { title: 'From', cell: (it) => it.address ?? '–' },
  { title: 'Details', cell: (it) => details(it) ?? h('span', { class: 'none' }, '–') },
]

const words = (it) => [it.action, it.actor, it.target, it.address, it.outcome, it.request_id, JSON.stringify(it.details ?? {})].join(' ').toLowerCase()

export function audit({ query, signal, go }) {
  const wanted = (query.q ?? '').toLowerCase()
  const search = h('input', { type: 'search', value: query.q ?? '', placeholder: 'action, user, target, address, request' })
  const form = h('form', { class: 'filters', role: 'search' }, field('Only with', search))
  form.firstChild.classList.add('wide')
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    go(search.value ? `/console/audit?q=${encodeURIComponent(search.value)}` : '/console/audit')
  })
  const load = (cursor) => get(path(['audit'], { limit: 100, cursor }), { signal })
  const none = empty('Nothing has been written down yet', 'Sign-ins and changes by administrators are written down here.')
  return [
    head('Audit log', { note: 'Sign-ins and changes by administrators, the latest first, kept for 90 days.' }),
    form,
    listing('Audit log', COLUMNS, load, { signal, none, keep: (it) => !wanted || words(it).includes(wanted) }),
  ]
}
